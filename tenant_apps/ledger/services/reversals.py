"""Undoing what was posted, by opposite journals."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import request_hash, uuid8_near
from shared_apps.kernel.operations import step
from tenant_apps.ledger.entries import Journal, Leg, Reversal
from tenant_apps.ledger.errors import (
    AlreadyReversed,
    GatheringIsInternal,
    NothingToReverse,
    ReversalOfReversal,
    ReversalTooEarly,
)
from tenant_apps.ledger.models import Side, Transfer, TransferKind
from tenant_apps.ledger.needed import stripe_of
from tenants.context import organization_id

from .postings import Draft, require_transaction, write_drafts


@step
def reverse(*, reversals: Sequence[Reversal], actor: Actor) -> list[Journal]:
    """Undo journals by opposite ones; one answer for each journal that is undone.

    The legs go back in the opposite order, so that what was used last is freed first.

    :raises NothingToReverse: nothing was posted for the journal or source.
    :raises AlreadyReversed: it was reversed before.
    :raises ReversalOfReversal: the journal is itself a reversal.
    :raises ReversalTooEarly: it would take effect before what it reverses.
    :raises PeriodIsClosed: the reversal takes effect in a closed period.
    :raises BelowFloor: what was posted has been used since.
    """
    require_transaction()
    drafts: list[Draft] = []
    for reversal in reversals:
        drafts.extend(_opposites(reversal))
    journals = write_drafts(drafts=drafts, actor=actor)
    twice = len({journal.id for journal in journals}) < len(journals)
    if twice or any(journal.replayed for journal in journals):
        raise AlreadyReversed
    return journals


def _opposites(reversal: Reversal) -> list[Draft]:
    transfers = list(_transfers_of(reversal))
    if not transfers:
        raise NothingToReverse
    if any(transfer.kind == TransferKind.REVERSAL for transfer in transfers):
        raise ReversalOfReversal
    if any(transfer.kind == TransferKind.GATHERING for transfer in transfers):
        raise GatheringIsInternal
    if any(transfer.effective_on > reversal.effective_on for transfer in transfers):
        raise ReversalTooEarly(f"It took effect on {max(t.effective_on for t in transfers)}.")
    organization = organization_id()
    drafts: dict[UUID, Draft] = {}
    for transfer in transfers:
        journal_id = uuid8_near(
            transfer.journal_id, organization, "reversal of journal", transfer.journal_id
        )
        draft = drafts.get(journal_id)
        if draft is None:
            draft = drafts[journal_id] = Draft(
                journal_id=journal_id,
                kind=TransferKind.REVERSAL,
                source=(transfer.source_type, transfer.source_id),
                rule=transfer.rule,
                effective_on=reversal.effective_on,
            )
        draft.legs.append(_opposite(transfer, reversal, draft))
    return list(drafts.values())


def _transfers_of(reversal: Reversal) -> Iterable[Transfer]:
    transfers = Transfer.objects.select_related("debit_account", "credit_account")
    if reversal.journal_id is not None:
        return transfers.of_journal(reversal.journal_id).order_by("-leg")
    if reversal.source_id is None:
        raise NothingToReverse
    found = (
        transfers.of_source(reversal.source_id)
        .filter(source_type=reversal.source_type)
        .exclude(kind=TransferKind.REVERSAL)
    )
    if reversal.rule:
        found = found.filter(rule=reversal.rule)
    return found.order_by("-posted_at", "journal_id", "-leg")


def _opposite(transfer: Transfer, reversal: Reversal, draft: Draft) -> Leg:
    leg_id = uuid8_near(transfer.id, organization_id(), "reversal of transfer", transfer.id)
    return Leg(
        id=leg_id,
        request_hash=bytes.fromhex(request_hash({"reverses": transfer.id})),
        journal_id=draft.journal_id,
        number=len(draft.legs) + 1,
        debit_account_id=transfer.credit_account_id,
        debit_stripe=stripe_of(
            transfer.credit_account, side=Side.DEBIT, pick=transfer.credit_stripe
        ),
        credit_account_id=transfer.debit_account_id,
        credit_stripe=stripe_of(
            transfer.debit_account, side=Side.CREDIT, pick=transfer.debit_stripe
        ),
        amount=transfer.amount,
        effective_on=reversal.effective_on,
        kind=TransferKind.REVERSAL,
        source_type=transfer.source_type,
        source_id=transfer.source_id,
        rule=transfer.rule,
        reverses_id=transfer.id,
        memo=reversal.memo,
        debit_rank=transfer.credit_account.lock_rank,
        credit_rank=transfer.debit_account.lock_rank,
    )
