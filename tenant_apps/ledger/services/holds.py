"""Funds that are reserved for something that is not decided yet: reserve, capture, release."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Subquery

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import request_hash
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.ledger import database, hold_batches
from tenant_apps.ledger.entries import HeldFunds, HoldRequest, Journal, Leg, Posting, locked_by
from tenant_apps.ledger.errors import (
    AmountsDoNotFitRule,
    NegativeAmount,
    PostingMismatch,
    UnknownAccount,
    UnknownHold,
)
from tenant_apps.ledger.models import Account, Hold, HoldState, Side
from tenant_apps.ledger.needed import NeededAccounts
from tenants.context import current_organization

from .accounts import open_needed
from .postings import drafts_of, require_transaction, write_drafts
from .stripes import gather

KEEP, RELEASE = "keep", "release"


@step
def reserve(*, holds: Sequence[HoldRequest], actor: Actor) -> list[HeldFunds]:
    """Reserve funds; one answer for each request, in the order given. All or nothing.

    What is reserved stays in the account's balance and leaves what is available. The same request
    again is answered with the hold as it stands now, marked `replayed`.

    :raises UnknownAccount: the chart has no such line.
    :raises NegativeAmount: an amount is zero or less.
    :raises PostingMismatch: a hold of this id was asked for before with other content.
    :raises AccountUnusable: an account is closed.
    :raises BelowFloor: an account has not that much available.
    """
    require_transaction()
    needed = NeededAccounts()
    accounts = _accounts(holds, needed)
    open_needed(needed=needed, actor=actor)
    moment = clock.now()
    if len(holds) > 1 or any(needed.rank_of(id_) for id_ in accounts.values()):
        database.lock_balances(account_ids=sorted(set(accounts.values())))
    _gather_for(holds, accounts, needed, actor=actor)
    replayed = {
        request.id: database.reserve(
            request=request,
            account_id=accounts[request.id],
            request_hash=_content_hash(request, accounts[request.id]),
            reserved_at=moment,
            actor_id=actor.user_id,
        )
        for request in sorted(holds, key=lambda one: one.id)
    }
    return [
        HeldFunds(
            hold_id=request.id,
            account_id=accounts[request.id],
            state=HoldState.OPEN,
            remaining=request.amount,
            replayed=False,
        )
        if not replayed[request.id]
        else _as_it_stands(request.id)
        for request in holds
    ]


@step
def capture(*, hold_id: UUID, posting: Posting, actor: Actor, release_rest: bool = True) -> Journal:
    """Post what the funds were held for, and take it out of the hold.

    The posting takes from the account on which the hold is, at most what it still holds; what is
    left is released, or stays held for another capture. The same posting again is answered as it
    was posted, marked `replayed`. A hold captures whether or not its time is over, until the
    sweeper has expired it: which of the two comes first decides.

    :raises UnknownHold: there is no such hold.
    :raises HoldClosed: it holds nothing any more.
    :raises HoldExceeded: it holds less than the posting takes.
    :raises AmountsDoNotFitRule: the posting takes nothing from the account that is held on.
    :raises PostingMismatch: it was posted before with other content, or not out of this hold.
    """
    require_transaction()
    needed = NeededAccounts()
    (draft,) = drafts_of(postings=[posting], needed=needed)
    account = _held_on(hold_id, needed)
    if account is None or not (captured := _taken_from(account, draft.legs)).is_positive:
        raise AmountsDoNotFitRule("The posting takes nothing from the account that is held on.")
    open_needed(needed=needed, actor=actor)
    if needed.rank_of(account.id) or needed.first_to_lock() != account.id:
        # The hold first and then every balance, in lock order: closing the hold touches one of
        # them. Where that one is the first, and shared by nobody, closing and posting keep the
        # order by themselves.
        database.lock_holds(hold_ids=[hold_id], account_ids=locked_by(draft.legs))
    *_, captured_before = database.close_hold(
        hold_id=hold_id,
        captured_minor=captured.minor,
        journal_id=draft.journal_id,
        rest=RELEASE if release_rest else KEEP,
        recorded_at=clock.now(),
        actor_id=actor.user_id,
    )
    (journal,) = write_drafts(drafts=[draft], actor=actor)
    if journal.replayed and not captured_before:
        raise PostingMismatch("This was posted before, and not out of this hold.")
    return journal


@step
def release(*, hold_id: UUID, actor: Actor) -> HeldFunds:
    """Give what is still held back to its account. Once released, again changes nothing.

    :raises UnknownHold: there is no such hold.
    :raises HoldClosed: it was captured or has expired.
    """
    require_transaction()
    database.lock_holds(hold_ids=[hold_id])
    account_id, state, remaining, replayed = database.close_hold(
        hold_id=hold_id,
        captured_minor=0,
        journal_id=None,
        rest=RELEASE,
        recorded_at=clock.now(),
        actor_id=actor.user_id,
    )
    currency = Hold.objects.values_list("currency", flat=True).get(pk=hold_id)
    return HeldFunds(
        hold_id=hold_id,
        account_id=account_id,
        state=state,
        remaining=Money(remaining, currency),
        replayed=replayed,
    )


@step
def expire_holds(*, actor: Actor, limit: int = 500) -> int:
    """Release the holds whose time is over, at most `limit` of them; answer how many.

    Those that somebody is capturing at this moment are waited for, and left if they are closed.
    """
    moment = clock.now()
    with transaction.atomic():
        due = Hold.objects.due(at=moment).order_by("expires_at")
        hold_ids = list(due.values_list("pk", flat=True)[:limit])
        if not hold_ids:
            return 0
        database.lock_holds(hold_ids=hold_ids)
        return hold_batches.expire_holds(
            hold_ids=hold_ids, recorded_at=moment, actor_id=actor.user_id
        )


def _gather_for(
    holds: Sequence[HoldRequest],
    accounts: dict[UUID, UUID],
    needed: NeededAccounts,
    *,
    actor: Actor,
) -> None:
    """Funds are held on the first stripe of a striped account: bring there what is asked for."""
    striped = [request for request in holds if needed.is_gathered(accounts[request.id])]
    if not striped:
        return
    known = set(
        Hold.objects.filter(pk__in=[one.id for one in striped]).values_list("pk", flat=True)
    )
    wanted: dict[UUID, Money] = {}
    for request in striped:
        if request.id not in known:
            account_id = accounts[request.id]
            so_far = wanted.get(account_id, Money.zero(request.amount.currency))
            wanted[account_id] = so_far + request.amount
    for account_id in sorted(wanted):
        gather(
            account_id=account_id,
            amount=wanted[account_id],
            effective_on=clock.today(current_organization().time_zone),
            posted_at=clock.now(),
            actor=actor,
            into=0,
        )


def _held_on(hold_id: UUID, needed: NeededAccounts) -> Account | None:
    """The account of a hold, read in one query with the needed ones; None if it is none of them."""
    hold = Hold.objects.filter(pk=hold_id)
    found: list[Any] = list(
        Account.objects.filter(pk__in=needed.ids())
        .annotate(held_on=Subquery(hold.values("account_id")))
        .only("normal_side", "currency")
        .order_by()
    )
    needed.note_open(account.id for account in found)
    if not any(account.held_on for account in found) and not hold.exists():
        raise UnknownHold
    return next((account for account in found if account.id == account.held_on), None)


def _accounts(holds: Sequence[HoldRequest], needed: NeededAccounts) -> dict[UUID, UUID]:
    accounts = {}
    charts = _lines_of(holds, needed)
    for request in holds:
        chart = charts.get(request.account_code)
        if chart is None or bool(chart.subledger) != (request.subledger_id is not None):
            raise UnknownAccount(f"There is no account {request.account_code} to hold funds on.")
        if not request.amount.is_positive:
            raise NegativeAmount("An amount to hold is above zero.")
        accounts[request.id] = needed.add(
            chart=chart, currency=request.amount.currency, subledger_id=request.subledger_id
        )
    return accounts


def _lines_of(holds: Sequence[HoldRequest], needed: NeededAccounts) -> dict[str, Account]:
    """The lines of the chart by code, read in one query with the accounts that are open."""
    codes = {request.account_code for request in holds}
    # Each part by itself is what the unique index begins with: a line may have many accounts.
    wanted = Q(code__in=codes, currency=None)
    for currency in {request.amount.currency for request in holds}:
        mine = {one.subledger_id for one in holds if one.amount.currency == currency}
        wanted |= Q(code__in=codes, currency=currency, subledger_id__in=mine - {None})
        if None in mine:
            wanted |= Q(code__in=codes, currency=currency, subledger_id=None)
    charts = {}
    for account in (
        Account.objects.filter(wanted)
        .only("code", "currency", "subledger", "lock_rank", "stripes", "floor")
        .order_by()
    ):
        if account.is_chart_line:
            charts[account.code] = account
        else:
            needed.note_open([account.id])
    return charts


def _content_hash(request: HoldRequest, account_id: UUID) -> bytes:
    """What makes two requests the same; a repeated one may reckon another time of expiry."""
    content = {
        "account": account_id,
        "amount": [request.amount.minor, request.amount.currency],
        "source": [request.source_type, request.source_id],
    }
    return bytes.fromhex(request_hash(content))


def _as_it_stands(hold_id: UUID) -> HeldFunds:
    hold = Hold.objects.get(pk=hold_id)
    return HeldFunds(
        hold_id=hold.pk,
        account_id=hold.account_id,
        state=hold.state,
        remaining=hold.amount - hold.captured - hold.released,
        replayed=True,
    )


def _taken_from(account: Account, legs: Iterable[Leg]) -> Money:
    """What the legs take from the account: their amounts on the side that lowers it."""
    total = 0
    for leg in legs:
        lowers, raises = leg.credit_account_id, leg.debit_account_id
        if account.normal_side == Side.CREDIT:
            lowers, raises = raises, lowers
        total += leg.amount.minor * ((lowers == account.id) - (raises == account.id))
    return Money(total, account.currency or "")
