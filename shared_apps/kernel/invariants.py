"""What must hold at every moment: each app says so at start-up, and one room watches them all.

    register(Invariant(
        name="invoices.numbers",
        title="Numbers of invoices have no gap.",
        concerns="invoices",
        check=numbers,
    ))

Here is only the list, so that a room of any floor can register what it promises.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST_FINDINGS = 50

# What a check remembers for its next run, in values of JSON.
Watermark = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that does not hold: which rule, about which row, and what is wrong with it.

    Ids, codes, numbers and amounts only: findings are kept, and personal data is not.
    """

    rule: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a check found (at most `MOST_FINDINGS`) and where its next run begins.

    `rows` says how much it read that grows with the history, so that its cost can be seen.
    """

    findings: Sequence[Finding] = ()
    watermark: Watermark = field(default_factory=dict)
    rows: int = 0


class Check(Protocol):
    """Reads the present organization. It runs beside people at work: what it compares with each
    other, it reads in one statement, or in several within the one moment of its transaction."""

    def __call__(self, *, since: Watermark | None) -> Reading:
        """What changed since the watermark of the last run; everything where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """Something that always holds. `name` is "<app>.<what>" and never changes.

    `concerns` says whose it is. While one that concerns "ledger" does not hold, no money is
    posted. One that `rotates` reads a bounded part of the rest with what changed, and keeps its
    place in the watermark: it comes round to everything, so that nothing is swept unless asked.
    """

    name: str
    title: str
    concerns: str
    check: Check
    rotates: bool = False


_registered: dict[str, Invariant] = {}


def register(invariant: Invariant) -> None:
    """Register at start-up, from an app's `ready()`; the same name again replaces the former."""
    _registered[invariant.name] = invariant


def unregister(name: str) -> None:
    """Take one back; for tests that register their own.

    :raises KeyError: there is none of this name.
    """
    del _registered[name]


def registered() -> tuple[Invariant, ...]:
    """All of them in the order of registration, which is the order of the floors."""
    return tuple(_registered.values())


def title_of(name: str) -> str:
    """What the invariant says; its name where no app of this release registers it any more."""
    invariant = _registered.get(name)
    return invariant.title if invariant else name
