"""Desks: processes that call the services themselves, act after act, each under its own id.

A desk that was killed begins its list again from the start, as a caller does who does not know
what became of its requests. What it was told each time stands in its book.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from shared_apps.access.actors import system_actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.kernel.transactions import retrying
from tenant_apps.ledger.services import (
    CreditChange,
    HoldRequest,
    Posting,
    capture,
    change_credit,
    release,
    reserve,
)
from tenants.context import tenant_context
from tenants.selectors import organization_by_subdomain
from tests.faults.plans import DeskAct
from tests.faults.stage import DAY, DESK

PATIENCE_SECONDS = 30.0
# What the database answers when it is not there or about to go; a caller of the API gets a 503.
_GONE = ("57P01", "57P02", "57P03", "57P05", "08", "53300", "55P03", "25006")


def work(acts: Sequence[DeskAct], book: Path) -> None:
    """Do every act, from the first; each answer is written down, also of those done before."""
    with book.open("a") as answers:
        for act in acts:
            answers.write(json.dumps({"id": str(act.id), "answer": _insisting(act)}) + "\n")
            answers.flush()


def hold_id(act: UUID) -> UUID:
    return uuid8_near(act, "hold")


def _insisting(act: DeskAct) -> str:
    """Until there is an answer: what was done, or the code of its refusal."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return _answer(act)
        except (DatabaseError, InterfaceError) as problem:
            if not _is_gone(problem) or time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.1)


def _is_gone(problem: Exception) -> bool:
    sqlstate = getattr(problem.__cause__, "sqlstate", None)
    return not sqlstate or sqlstate.startswith(_GONE)


def _answer(act: DeskAct) -> str:
    def whole() -> str:
        with transaction.atomic():
            return _ACTS[act.kind](act)

    try:
        with tenant_context(organization_by_subdomain("acme")):
            return retrying(whole)
    except DomainError as refusal:
        return refusal.code


def _reserve(act: DeskAct) -> str:
    request = HoldRequest(
        id=hold_id(act.id),
        account_code="2000",
        subledger_id=DESK,
        amount=Money(act.cents, "KES"),
        source_type="tests.desk",
        source_id=act.id,
    )
    reserve(holds=[request], actor=system_actor("desk"))
    return "done"


def _capture(act: DeskAct) -> str:
    assert act.of
    posting = Posting(
        rule="payment.allocated",
        source_type="tests.desk",
        source_id=act.id,
        amounts={"amount": Money(act.cents, "KES")},
        subledgers={"party": DESK},
        effective_on=DAY,
    )
    journal = capture(hold_id=hold_id(act.of), posting=posting, actor=system_actor("desk"))
    return f"done {journal.id}"


def _release(act: DeskAct) -> str:
    assert act.of
    release(hold_id=hold_id(act.of), actor=system_actor("desk"))
    return "done"


def _change(act: DeskAct) -> str:
    sign = 1 if act.kind == "use" else -1
    change = CreditChange(
        id=uuid8_near(act.id, "change"),
        subject_type="tests.desk",
        subject_id=DESK,
        kind="use" if act.kind == "use" else "return",
        used=Money(sign * act.cents, "KES"),
        held=Money(0, "KES"),
        effective_on=DAY,
        source_type="tests.desk",
        source_id=act.id,
    )
    change_credit(changes=[change], actor=system_actor("desk"))
    return "done"


_ACTS: dict[str, Callable[[DeskAct], str]] = {
    "reserve": _reserve,
    "capture": _capture,
    "release": _release,
    "use": _change,
    "give back": _change,
}
