"""An account that everybody posts to may spread over several balances, its stripes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.ids import request_hash, uuid7, uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.ledger import database
from tenant_apps.ledger.entries import Gathering, Leg, locked_by
from tenant_apps.ledger.errors import AccountIsOneParty, StripesOnlyGrow
from tenant_apps.ledger.events import AccountStriped
from tenant_apps.ledger.models import STRIPES_AT_MOST, Account, Transfer
from tenant_apps.ledger.needed import GATHERED


@transaction.atomic
def stripe_account(*, actor: Actor, account_id: UUID, stripes: int) -> Account:
    """Spread each account under a line of the chart over so many balances.

    Postings that raise it then queue at one of them instead of at one for all. What holds money
    for one party, user or seller keeps one balance, so that each of its lines leaves one.

    :raises NotFound: there is no such line.
    :raises BadInput: the number is not from 2 to 64.
    :raises AccountIsOneParty: its accounts belong to one party, user or seller each.
    :raises StripesOnlyGrow: it has as many stripes, or more.
    """
    visible = actor.visible(Account.objects.chart(), "ledger.view_account")
    account: Account = visible.locked(account_id)
    actor.require("ledger.stripe_account", account)
    if not 2 <= stripes <= STRIPES_AT_MOST:
        raise BadInput.field("stripes", detail=f"An account has 2 to {STRIPES_AT_MOST} stripes.")
    if account.subledger:
        raise AccountIsOneParty
    if stripes <= account.stripes:
        raise StripesOnlyGrow(extra={"stripes": account.stripes})
    account.stripes = stripes
    account.updated_by_id = actor.user_id
    account.save(update_fields=["stripes", "updated_at", "updated_by_id"])
    account.accounts.update(stripes=stripes, updated_at=clock.now(), updated_by_id=actor.user_id)
    database.open_stripes(account_ids=list(account.accounts.values_list("id", flat=True)))
    audit.record(
        AccountStriped(subject_id=account.id, code=account.code, stripes=stripes), actor=actor
    )
    return account


@step
def with_stripes(*, legs: Sequence[Leg], posted_at: datetime, actor: Actor) -> list[Leg]:
    """The legs with a stripe on either side; what leaves a striped account is gathered first.

    Whether there is enough is for the posting to say: gathering refuses nothing.
    """
    if not any(stripe == GATHERED for leg in legs for _, stripe in _sides(leg)):
        return list(legs)
    # Every balance of every leg, in the one order of locks, before the first is changed.
    database.lock_balances(account_ids=locked_by(legs))
    known = set(
        Transfer.objects.filter(pk__in=[leg.id for leg in legs]).values_list("pk", flat=True)
    )
    wanted: dict[UUID, int] = defaultdict(int)
    for leg in legs:
        for account_id, stripe in _sides(leg):
            # What stands in the books takes nothing, so nothing is moved for it.
            if stripe == GATHERED and leg.id not in known:
                wanted[account_id] += leg.amount.minor
    found = {}
    for account_id in sorted(wanted):
        leg = next(leg for leg in legs if (account_id, GATHERED) in _sides(leg))
        found[account_id] = gather(
            account_id=account_id,
            amount=Money(wanted[account_id], leg.amount.currency),
            effective_on=leg.effective_on,
            posted_at=posted_at,
            actor=actor,
        )
    return [
        replace(
            leg,
            debit_stripe=found.get(leg.debit_account_id, max(leg.debit_stripe, 0)),
            credit_stripe=found.get(leg.credit_account_id, max(leg.credit_stripe, 0)),
        )
        for leg in legs
    ]


@step
def gather(
    *,
    account_id: UUID,
    amount: Money,
    effective_on: date,
    posted_at: datetime,
    actor: Actor,
    into: int | None = None,
) -> int:
    """Bring so much into one stripe of an account, the fullest or a given one; answer which.

    What the others have above their floors moves over, one transfer from each, in the order in
    which stripes are locked. Where all of them together have too little, all they have moves.

    :raises PeriodIsClosed: it would take effect in a closed period.
    """
    journal_id = uuid7()
    return database.gather(
        Gathering(
            journal_id=journal_id,
            transfer_ids=tuple(
                uuid8_near(journal_id, "gathering", number) for number in range(STRIPES_AT_MOST)
            ),
            request_hash=bytes.fromhex(request_hash({"gathering": journal_id})),
            account_id=account_id,
            amount=amount,
            into=into,
            effective_on=effective_on,
        ),
        posted_at=posted_at,
        actor_id=actor.user_id,
    )


def _sides(leg: Leg) -> tuple[tuple[UUID, int], tuple[UUID, int]]:
    return (leg.debit_account_id, leg.debit_stripe), (leg.credit_account_id, leg.credit_stripe)
