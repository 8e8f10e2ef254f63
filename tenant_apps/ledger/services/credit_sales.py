"""A sale on credit: what is owed is booked and counted on every line concerned, in one call."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.ids import request_hash, uuid8_near
from shared_apps.kernel.operations import step
from tenant_apps.ledger.credit_database import post_using_credit
from tenant_apps.ledger.entries import Journal, Posting
from tenant_apps.ledger.errors import UnknownCreditLine
from tenant_apps.ledger.models import STRIPES_AT_MOST, CreditLine
from tenant_apps.ledger.needed import GATHERED, NeededAccounts

from .accounts import open_needed
from .postings import drafts_of, require_transaction


@step
def post_credit_sale(*, posting: Posting, line_ids: Collection[UUID], actor: Actor) -> Journal:
    """Post an event whose rule makes one transfer, and use its amount of every line, or nothing.

    The lines may be of one relationship, its purchaser and its supplier: the sale is within the
    limits of all of them. They are locked before the balances, by rank and id. The same sale again
    is answered as it was posted, marked `replayed`, and counts once.

    :raises BadInput: the rule makes more than one transfer, or none.
    :raises UnknownCreditLine: no line is given, or one is none in the currency of the sale.
    :raises AboveLimit: more would be in use than a limit allows.
    :raises UnknownPostingRule, AmountsDoNotFitRule, NegativeAmount, AccountOnBothSides,
        PostingMismatch, AccountUnusable, PeriodIsClosed, BelowFloor: as for `post`.
    """
    require_transaction()
    needed = NeededAccounts(pick=posting.source_id.int % STRIPES_AT_MOST)
    (draft,) = drafts_of(postings=[posting], needed=needed)
    if len(draft.legs) != 1 or draft.metadata:
        raise BadInput("A sale on credit makes one transfer.")
    (leg,) = draft.legs
    if GATHERED in (leg.debit_stripe, leg.credit_stripe):
        # Gathering locks balances, and here the lines come before them.
        raise BadInput("A sale on credit takes nothing out of an account with stripes.")
    lines = (
        CreditLine.objects.filter(pk__in=line_ids, currency=leg.amount.currency)
        .order_by("lock_rank", "pk")
        .values_list("pk", flat=True)
    )
    in_lock_order = list(lines)
    if not in_lock_order or len(in_lock_order) != len(set(line_ids)):
        raise UnknownCreditLine
    # With other lines it is another sale, and so is one that was posted without any.
    content = {"posting": draft.digest.hex(), "lines": sorted(map(str, in_lock_order))}
    leg = replace(leg, request_hash=bytes.fromhex(request_hash(content)))
    open_needed(needed=needed, actor=actor)
    moment = clock.now()
    outcome = post_using_credit(
        leg=leg,
        lines={line_id: uuid8_near(leg.source_id, leg.id, line_id) for line_id in in_lock_order},
        posted_at=moment,
        actor_id=actor.user_id,
    )
    return draft.posted({leg.id: outcome})
