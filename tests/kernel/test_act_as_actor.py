"""What an actor may do."""

from uuid import UUID

import pytest

from shared_apps.kernel.actor import Actor, AllowsEverything
from shared_apps.kernel.errors import Forbidden

ALICE = UUID(int=1)
BOB = UUID(int=2)


def test_may_do_nothing_unless_somebody_says_so() -> None:
    stranger = Actor(request_id="r")
    assert not stranger.allows("payments.verify_payment")
    with pytest.raises(Forbidden) as refused:
        stranger.require("payments.verify_payment")
    assert refused.value.extra == {"permission": "payments.verify_payment"}
    assert "payments.verify_payment" in refused.value.detail


def test_may_do_what_the_checker_allows() -> None:
    system = Actor(request_id="r", label="system:import", checker=AllowsEverything())
    system.require("payments.verify_payment")
    assert system.is_system


def test_a_person_is_not_the_system() -> None:
    assert not Actor(request_id="r", user_id=ALICE).is_system


def test_acts_for_another_and_quietly_without_changing() -> None:
    alice = Actor(request_id="r", user_id=ALICE)
    assert alice.acting_for(BOB).on_behalf_of == BOB
    assert alice.quietly().quiet
    assert alice.on_behalf_of is None
    assert not alice.quiet


def test_does_not_show_its_checker() -> None:
    assert "checker" not in repr(Actor(request_id="r"))
