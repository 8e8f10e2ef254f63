"""What limits do at start-up: keep their history, register what a signature brings about, and hear
of entries made by hand in the books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from shared_apps.audit import history
from shared_apps.audit.subscriptions import subscribe
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from tenant_apps.approvals import registry
from tenant_apps.approvals.models import Approval
from tenant_apps.ledger.events import (
    JournalReversed,
    ManualJournalPosted,
    OpeningBalancesPosted,
)
from tenant_apps.ledger.models import Transfer
from tenant_apps.limits import services
from tenant_apps.limits.models import Cause, CreditLimit, LimitOverride
from tenant_apps.limits.services.overriding import APPROVE, SUBJECT
from tenant_apps.limits.services.standing import RECEIVABLES


def bring_about(approvals: Sequence[Approval], *, actor: Actor) -> None:
    services.approve(approvals=approvals, actor=actor)


def decline(subject_id: UUID, *, approval: Approval, actor: Actor) -> None:
    services.turn_down(approval=approval, actor=actor)


def count_journals(
    events: Sequence[ManualJournalPosted | OpeningBalancesPosted], *, actor: Actor
) -> None:
    """What is booked by hand on a client's receivable is owed as well. No limit refuses it."""
    services.count_receivables(
        movements=_by_hand({event.subject_id for event in events}), actor=actor
    )


def count_reversals(events: Sequence[JournalReversed], *, actor: Actor) -> None:
    services.count_receivables(
        movements=_by_hand({event.reversal_id for event in events}), actor=actor
    )


def _by_hand(journal_ids: set[UUID]) -> list[services.Movement]:
    """What these journals did to the receivables of clients."""
    sums: dict[tuple[UUID, UUID, str, date], int] = defaultdict(int)
    transfers: Any = Transfer.objects.of_journals(journal_ids)
    for transfer in transfers.select_related("debit_account", "credit_account"):
        for account, sign in ((transfer.debit_account, 1), (transfer.credit_account, -1)):
            if account.code == RECEIVABLES and account.subledger_id is not None:
                key = (transfer.journal_id, account.subledger_id, transfer.currency)
                sums[*key, transfer.effective_on] += sign * transfer.amount_minor
    return [
        services.Movement(
            client_id=client_id,
            amount=Money(minor, currency),
            source_type="ledger.journal",
            source_id=journal_id,
            effective_on=effective_on,
            let_pass=Cause.BOOKED,
            reason="A journal made by hand.",
        )
        for (journal_id, client_id, currency, effective_on), minor in sums.items()
        if minor
    ]


history.track(CreditLimit)
history.track(LimitOverride)
registry.register(
    SUBJECT,
    APPROVE,
    content=LimitOverride.content,
    permission="limits.approve_limitoverride",
    effect_all=bring_about,
    declined=decline,
)
subscribe(ManualJournalPosted, count_journals)
subscribe(OpeningBalancesPosted, count_journals)
subscribe(JournalReversed, count_reversals)
