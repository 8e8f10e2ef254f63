"""Two teams of Acme with their people."""

from typing import Any

import pytest

from shared_apps.accounts.models import User
from tenant_apps.teams.models import Team
from tests.people import make_person, make_team


@pytest.fixture
def admin(tenant: Any) -> User:
    return make_person("Ada Admin", role="admin")


@pytest.fixture
def supervisor(tenant: Any) -> User:
    return make_person("Sue Supervisor", role="supervisor")


@pytest.fixture
def verifier(tenant: Any) -> User:
    return make_person("Vera Verifier", role="verifier")


@pytest.fixture
def north(tenant: Any) -> Team:
    return make_team("North")


@pytest.fixture
def south(tenant: Any) -> Team:
    return make_team("South")


@pytest.fixture
def lead(north: Team) -> User:
    from tenant_apps.teams import services
    from tests.people import machine

    person = make_person("Lea Lead")
    services.appoint_lead(actor=machine(), team_id=north.pk, user_id=person.pk)
    return person


@pytest.fixture
def salesperson(north: Team) -> User:
    return make_person("Sam Seller", role="salesperson", unit=north.unit)


@pytest.fixture
def outsider(south: Team) -> User:
    """A salesperson of the other team."""
    return make_person("Otto Outsider", role="salesperson", unit=south.unit)
