"""The cast: people of Acme, and a visitor."""

from typing import Any

import pytest

from shared_apps.accounts import services
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor, AllowsEverything
from tests.accounts.clients import HostClient
from tests.accounts.people import PASSWORD, make_user


@pytest.fixture
def manager() -> Actor:
    """Somebody who may do everything with people."""
    return Actor(request_id="test-manager", label="system:test", checker=AllowsEverything())


@pytest.fixture
def visitor() -> Actor:
    return Actor(request_id="test-visitor", ip_address="198.51.100.7", user_agent="test")


@pytest.fixture
def alice(tenant: Any) -> User:
    return make_user("alice@acme.example", "Alice Owner")


@pytest.fixture
def bob(tenant: Any) -> User:
    return make_user("bob@acme.example", "Bob Salesman")


@pytest.fixture
def signed_in(alice: User, visitor: Actor) -> services.SignIn:
    return services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)


@pytest.fixture
def client() -> HostClient:
    return HostClient()


@pytest.fixture
def as_alice(signed_in: services.SignIn) -> HostClient:
    return HostClient().carrying(signed_in.tokens.access)
