"""From a seed to a round: who asks for what under which key, what breaks, and where it strikes.

Pure: the same seed gives the same plan, for ever on this version of the code. How the processes
interleave is the machine's affair.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

CALLERS = 6
DESKS = 2
STORIES_EACH = 4
DESK_ACTS = 25

# What breaks, in the order in which seeds take their turns, so that twenty in a row have all.
FAULTS = (
    "kill a web process",
    "kill the whole web",
    "kill a worker process",
    "kill the whole worker",
    "kill a desk",
    "kill a database backend",
    "kill the database",
    "kill Redis",
    "flush Redis",
    "hang",
    "the clock jumps",
    "kill the scheduler",
    "tasks come twice and late",
    "news comes again",
    "the provider falls silent",
)
# These last for the whole round; the others strike once at a point.
LASTING = FAULTS[12:]
# Where each point lies, and how often it is passed at least: a strike waits for one of the first.
POINTS = {
    "web": {
        "before commit": 25,
        "after commit": 25,
        "key held": 20,
        "answer kept": 15,
        "posted": 8,
        "event recorded": 15,
        "sale held": 3,
        "sale about to be called": 3,
        "sale called": 3,
        "sale settled": 2,
    },
    "worker": {
        "before commit": 12,
        "after commit": 12,
        "task taken": 8,
        "task done": 8,
        "message claimed": 3,
        "receipt taken": 3,
        "consumer done": 3,
        "segment sealed": 1,
    },
    "desk": {
        "before commit": 15,
        "after commit": 15,
        "posted": 3,
        "hold reserved": 4,
        "hold closed": 3,
        "credit changed": 3,
    },
}
_PLACES = {
    "kill a web process": ("web",),
    "kill the whole web": ("web",),
    "kill a worker process": ("worker",),
    "kill the whole worker": ("worker",),
    "kill a desk": ("desk",),
    "kill the scheduler": ("web", "worker"),
}
_JUMPS = (-7200, -600, 90, 3600, 7200, 30 * 3600)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request. `path` and `body` name answers of earlier steps of its story as `{step0}`."""

    key: str
    kind: str
    who: str
    path: str
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Story:
    """Steps that follow each other; with `twice` each is sent by two callers at once."""

    steps: tuple[Step, ...]
    twice: bool


@dataclass(frozen=True, kw_only=True)
class DeskAct:
    """One act of the services in a process of its own, repeatable by its id."""

    id: UUID
    kind: str
    cents: int
    # The hold that it ends, where it ends one.
    of: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What breaks, and when: at the so-many-th passing of a point in a part."""

    number: int
    fault: str
    part: str
    point: str
    passing: int
    # How long what was killed stays down, and how far a clock jumps.
    seconds: float

    def __str__(self) -> str:
        return f"{self.fault} ({self.part}: {self.point}, passing {self.passing})"


@dataclass(frozen=True, kw_only=True)
class Plan:
    seed: int
    stories: tuple[tuple[Story, ...], ...]
    desks: tuple[tuple[DeskAct, ...], ...]
    strikes: tuple[Strike, ...]
    lasting: frozenset[str]
    provider: str

    def __str__(self) -> str:
        return "; ".join([*map(str, self.strikes), *sorted(self.lasting)])


def plan_of(seed: int) -> Plan:
    """The round of a seed."""
    dice = random.Random(seed)
    headline = FAULTS[seed % len(FAULTS)]
    faults = [headline]
    if dice.random() < 0.5:
        faults.append(dice.choice(FAULTS))
    striking = [fault for fault in faults if fault not in LASTING]
    lasting = frozenset(fault for fault in faults if fault in LASTING)
    return Plan(
        seed=seed,
        stories=tuple(
            tuple(_story(dice, f"{seed}-{caller}-{place}", place) for place in _places(dice))
            for caller in range(CALLERS)
        ),
        desks=tuple(_desk(dice) for _ in range(DESKS)),
        strikes=tuple(_strike(dice, number, fault) for number, fault in enumerate(striking)),
        lasting=lasting,
        provider=_provider(dice, is_silent="the provider falls silent" in lasting),
    )


def _places(dice: random.Random) -> list[int]:
    """Every caller has some of each kind of story over the round, in an order of its own."""
    return dice.sample(range(len(_STORIES)), STORIES_EACH)


def _provider(dice: random.Random, *, is_silent: bool) -> str:
    """How the simulated provider treats its callers, in hundredths; see its module."""
    if is_silent:
        shares = {"lost_requests": 45, "lost_answers": 40, "late": 15}
    else:
        names = ("refused", "lost_requests", "lost_answers", "late", "doubled")
        shares = {name: dice.randint(0, 15) for name in names}
    shares |= {"seed": dice.randint(1, 10**6), "delay": dice.choice([0, 5, 40])}
    return "&".join(f"{name}={value}" for name, value in shares.items())


def _strike(dice: random.Random, number: int, fault: str) -> Strike:
    part = dice.choice(_PLACES.get(fault, ("web", "web", "worker", "desk")))
    point = dice.choice(list(POINTS[part]))
    return Strike(
        number=number,
        fault=fault,
        part=part,
        point=point,
        passing=dice.randint(1, POINTS[part][point]),
        seconds=dice.choice(_JUMPS) if fault == "the clock jumps" else dice.uniform(0.1, 1.5),
    )


def _kes(dice: random.Random, least: int, most: int) -> dict[str, str]:
    """An amount in cents, as the API writes it."""
    cents = dice.randint(least, most)
    return {"amount": f"{cents // 100}.{cents % 100:02}", "currency": "KES"}


Make = Callable[[random.Random], list[tuple[str, str, str, dict[str, Any]]]]


def _sold_and_paid(dice: random.Random) -> list[tuple[str, str, str, dict[str, Any]]]:
    worth = _kes(dice, 2000, 20000)
    pay = {"deal": "{step0}", "method": "cash", "amount": _kes(dice, 100, 9000), "paid_on": "{day}"}
    return [
        ("deal", "olga", "deals/", {"client": f"{{client{dice.randrange(3)}}}", "value": worth}),
        ("payment", "olga", "payments/", pay),
        ("win", "olga", "deals/{step0}/stage-changes/", {"to_stage": "won"}),
        ("verification", "vera", "payments/{step1}/verification/", {}),
        ("payment", "olga", "payments/", {**pay, "method": "card", "amount": _kes(dice, 100, 900)}),
        ("rejection", "vera", "payments/{step4}/rejection/", {"remarks": "Not ours."}),
    ]


def _deposit(dice: random.Random) -> list[tuple[str, str, str, dict[str, Any]]]:
    seller = dice.choice(["sita", "seth"])
    decided: tuple[str, str, str, dict[str, Any]] = (
        ("denial", "wanda", "deposit-requests/{step0}/denial/", {"reason": "No proof."})
        if dice.random() < 0.3
        else ("approval", "wanda", "deposit-requests/{step0}/approval/", {})
    )
    body = {
        "wallet": f"{{wallet {seller}}}",
        "method": "cash",
        "amount": _kes(dice, 100, 5000),
        "paid_on": "{day}",
    }
    return [("deposit", seller, "deposit-requests/", body), decided]


def _sales(dice: random.Random) -> list[tuple[str, str, str, dict[str, Any]]]:
    seller = dice.choice(["sita", "seth"])
    return [
        (
            "sale",
            seller,
            "charge-sales/",
            {
                "wallet": f"{{wallet {seller}}}",
                "phone": f"07{dice.randint(10_000_000, 29_999_999)}",
                "amount": _kes(dice, 500, 7000),
            },
        )
        for _ in range(3)
    ]


def _transfers(dice: random.Random) -> list[tuple[str, str, str, dict[str, Any]]]:
    made: list[tuple[str, str, str, dict[str, Any]]] = []
    for _ in range(2):
        giver, taker = dice.sample(["sita", "seth"], 2)
        body = {
            "wallet": f"{{wallet {giver}}}",
            "to_seller": f"{{seller {taker}}}",
            "amount": _kes(dice, 100, 9000),
        }
        made.append(("transfer", giver, "wallet-transfers/", body))
    return made


def _limits(dice: random.Random) -> list[tuple[str, str, str, dict[str, Any]]]:
    body = {
        "currency": "KES",
        "amount": _kes(dice, 10_000, 60_000),
        "mode": "refuse",
        "reason": "Looked at again.",
    }
    client = dice.randrange(3)
    return [("limit", "sam", f"clients/{{client{client}}}/credit-limits/", body)]


def _journal(dice: random.Random) -> list[tuple[str, str, str, dict[str, Any]]]:
    amount = _kes(dice, 1, 99_999)
    lines = [
        {"account_code": code, "side": side, "amount": amount}
        for code, side in (("1000", "debit"), ("3100", "credit"))
    ]
    booked = {"effective_on": "{day}", "memo": "By hand", "lines": lines}
    made: list[tuple[str, str, str, dict[str, Any]]] = [
        ("journal", "ada", "ledger/journals/", booked)
    ]
    if dice.random() < 0.7:
        back = {"effective_on": "{day}"}
        made.append(("reversal", "ada", "ledger/journals/{step0}/reversal/", back))
    return made


_STORIES: tuple[Make, ...] = (
    _sold_and_paid,
    _deposit,
    _sales,
    _sales,
    _transfers,
    _limits,
    _journal,
)


def _story(dice: random.Random, name: str, place: int) -> Story:
    steps = tuple(
        Step(key=f"storm-{name}-{number}", kind=kind, who=who, path=path, body=body)
        for number, (kind, who, path, body) in enumerate(_STORIES[place](dice))
    )
    return Story(steps=steps, twice=dice.random() < 0.25)


def _desk(dice: random.Random) -> tuple[DeskAct, ...]:
    """Holds that are taken and ended, and credit that is used and given back."""
    acts: list[DeskAct] = []
    open_holds: list[DeskAct] = []
    for _ in range(DESK_ACTS):
        chance = dice.random()
        fresh = UUID(int=dice.getrandbits(128), version=4)
        if chance < 0.35 or (chance < 0.65 and not open_holds):
            hold = DeskAct(id=fresh, kind="reserve", cents=dice.randint(100, 2500))
            open_holds.append(hold)
            acts.append(hold)
        elif chance < 0.65:
            hold = open_holds.pop(dice.randrange(len(open_holds)))
            kind = dice.choice(["capture", "capture", "release"])
            cents = dice.randint(1, hold.cents)
            acts.append(DeskAct(id=fresh, kind=kind, cents=cents, of=hold.id))
        elif chance < 0.85:
            acts.append(DeskAct(id=fresh, kind="use", cents=dice.randint(100, 1500)))
        else:
            used = [act for act in acts if act.kind == "use"]
            if used:
                back = dice.choice(used)
                acts.append(DeskAct(id=fresh, kind="give back", cents=back.cents, of=back.id))
    return tuple(acts)
