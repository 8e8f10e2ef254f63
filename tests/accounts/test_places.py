"""The plan's quota of users: active and invited people have a place."""

from typing import Any

import pytest

from shared_apps.accounts import services
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor
from tenant_apps.usage.errors import QuotaExceeded
from tests.accounts.people import make_user


@pytest.fixture
def two_places(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant, "entitlements", {"quotas": {"users": 2}, "features": []})


def invite(number: int, manager: Actor) -> User:
    return services.invite_user(email=f"i{number}@acme.example", full_name="Invited", actor=manager)


@pytest.mark.usefixtures("two_places")
def test_are_taken_by_people_and_invitations(manager: Actor) -> None:
    make_user("one@acme.example")
    invite(2, manager)
    with pytest.raises(QuotaExceeded):
        invite(3, manager)
    with pytest.raises(QuotaExceeded):
        make_user("four@acme.example")

    assert User.objects.count() == 2


@pytest.mark.usefixtures("two_places")
def test_are_given_back_by_a_deactivation(manager: Actor) -> None:
    first, _ = make_user("one@acme.example"), make_user("two@acme.example")
    services.deactivate_user(user_id=first.id, actor=manager)
    invite(3, manager)
    with pytest.raises(QuotaExceeded):
        services.reactivate_user(user_id=first.id, actor=manager)

    first.refresh_from_db()
    assert not first.is_active


@pytest.mark.usefixtures("two_places")
def test_are_passed_only_with_a_reason(manager: Actor) -> None:
    people = [
        services.NewUser(email=f"p{number}@acme.example", full_name="P") for number in range(3)
    ]
    with pytest.raises(QuotaExceeded):
        services.create_users(people=people, actor=manager)
    users = services.create_users(
        people=people, actor=manager, quota_bypass_reason="sales book import"
    )

    assert len(users) == 3
