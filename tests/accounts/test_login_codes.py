"""Login codes: landing signed in, once, on the own organization's host."""

from datetime import timedelta
from typing import Any

import pytest

from shared_apps.accounts import services
from shared_apps.accounts.models import OneTimeSecret, Session, User
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tests.accounts.authenticators import enrol
from tests.accounts.clients import HostClient


@pytest.fixture
def code(alice: User, visitor: Actor) -> str:
    return services.issue_login_code(user_id=alice.id, actor=visitor)


def redeem(code: Any, host: str = "acme.kontor.test") -> Any:
    return HostClient(host).post("/api/v1/login-codes/redemption/", {"code": code})


def test_begins_a_session(code: str, alice: User) -> None:
    answer = redeem(code)

    assert answer.status_code == 201, answer.content
    assert answer.json()["user"]["pk"] == str(alice.pk)
    assert Session.objects.get().method == Session.Method.LOGIN_CODE


def test_works_once(code: str) -> None:
    redeem(code)

    assert redeem(code).status_code == 400
    assert Session.objects.count() == 1


def test_expires_after_five_minutes(code: str) -> None:
    with clock.frozen(clock.now() + timedelta(minutes=5, seconds=1)):
        assert redeem(code).status_code == 400


def test_is_refused_next_door(code: str, neighbour: Any) -> None:
    assert redeem(code, "neighbour.kontor.test").status_code == 400
    assert redeem(code).status_code == 201


def test_ends_when_another_is_issued(code: str, alice: User, visitor: Actor) -> None:
    services.issue_login_code(user_id=alice.id, actor=visitor)

    assert redeem(code).status_code == 400


def test_does_not_replace_the_second_factor(code: str, alice: User, visitor: Actor) -> None:
    enrol(alice, actor=visitor)

    assert redeem(code).json()["second_factor"] == "to_verify"


def test_is_kept_as_a_hash(code: str) -> None:
    assert code not in str(list(OneTimeSecret.objects.values()))


@pytest.mark.parametrize("nonsense", ["", "x", "a:b:c", "x" * 1025, "\x00", None, 7, {}])
def test_refuses_nonsense(nonsense: Any, tenant: Any) -> None:
    assert redeem(nonsense).status_code == 400


def test_bounds_guessing_from_one_place(tenant: Any) -> None:
    statuses = [redeem("guess").status_code for _ in range(31)]

    assert statuses == [400] * 30 + [429]
