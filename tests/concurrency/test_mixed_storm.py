"""A tenth of `./scripts/bench storm`: 64 processes that do everything at once on a few accounts.

64,000 acts take two minutes on two cores that do nothing else. That they are so many is what a few
hundred cannot show: balances, limits and holds meet their bounds a thousand times each.
"""

from __future__ import annotations

from typing import Any

import pytest

from scripts.benchmarks import storm
from scripts.benchmarks.mixture import play, prepare

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]

TENTH = storm.ACTS // 10


def test_everything_at_once_leaves_nothing_negative_or_doubled(simulated: Any) -> None:
    provider = simulated(refused=10, lost_requests=5, lost_answers=5, late=5, doubled=5)
    ground = prepare()
    played = play(ground, workers=storm.WORKERS, acts=TENTH)
    outcomes = played.outcomes
    storm.settle()
    assert storm.sentences(outcomes, provider) == []
    # Nobody hears of a deadlock. Who waits too long for a lock, beside other programs, is told so.
    assert {became for _, became in outcomes} <= {"done", storm.LOCK_TIMEOUT, *storm.REFUSALS}
    # It was a storm: much was done, much was refused, and everything came to pass.
    assert len(played.seconds) == storm.WORKERS * TENTH
    for kind in (
        "reserve",
        "capture",
        "release",
        "payment",
        "refund",
        "use",
        "give back",
        "limit",
        "transfer",
        "sale",
        "deposit",
        "expire",
    ):
        assert outcomes[kind, "done"] > 10, kind
    for kind, refusal in (
        ("reserve", "below_floor"),
        ("use", "above_credit_limit"),
        ("transfer", "not_enough_credit"),
        ("refund again", "already_reversed"),
    ):
        assert outcomes[kind, refusal], (kind, refusal)
