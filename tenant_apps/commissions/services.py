"""The only writer of commission plans and commissions.

Lock order: the plans (an advisory lock), waiting commissions by id, then ledger balances and the
rollup. It all comes behind what payments lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.events import Event
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from shared_apps.reference.selectors import Wanted, rates_known
from tenant_apps.commissions import errors, events
from tenant_apps.commissions.calculator import Basis, reckon
from tenant_apps.commissions.models import (
    Commission,
    CommissionPlan,
    CommissionState,
    Missing,
)
from tenant_apps.commissions.selectors import plans_on
from tenant_apps.deals.models import Deal
from tenant_apps.invoices.models import Invoice
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.selectors import first_open_days
from tenant_apps.payments.events import PaymentAllocated
from tenants import locks
from tenants.context import current_organization

ROWS_PER_STATEMENT = 500
# Shared by all who reckon with the plans, and held alone by whoever adds one. No row can be locked
# for it: the plan that matters is the one that is not there yet.
PLANS = "commissions.plans"
# How many waiting commissions one transaction completes.
RETRY_BATCH = 500


@transaction.atomic
def add_plan(*, actor: Actor, name: str, percent: Decimal, starts_on: date) -> CommissionPlan:
    """Set the percentage (5 for five per cent) from a day on. It never reaches back to what has
    accrued; commissions that wait for a plan are completed by it.

    :raises Forbidden: the actor may not set plans.
    :raises PlanTooEarly: commissions have accrued on or after the day.
    :raises PlanDayTaken: another plan starts on the day.
    """
    actor.require("commissions.add_commissionplan")
    # Whoever is accruing by the plans that stand has committed before it is asked what accrued.
    locks.hold_alone(PLANS)
    if Commission.objects.accrued().filter(earned_on__gte=starts_on).exists():
        raise errors.PlanTooEarly
    plan = CommissionPlan(
        name=name,
        percent=percent,
        starts_on=starts_on,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    try:
        with transaction.atomic():
            plan.save(force_insert=True)
    except IntegrityError as taken:
        raise errors.PlanDayTaken(f"Another plan starts on {starts_on}.") from taken
    audit.record(
        events.CommissionPlanAdded(subject_id=plan.id, percent=percent, starts_on=starts_on),
        actor=actor,
    )
    complete_waiting(actor=actor)
    return plan


@step
def accrue_commissions(*, allocations: Sequence[PaymentAllocated], actor: Actor) -> None:
    """Give the owners of the deals their commission on money that was just used for invoices.

    Part of verification and of issuing invoices. One row for each allocation, in any case: where
    no plan or no rate is known for the day, the row waits.
    """
    locks.hold_shared(PLANS)
    deals = Deal.objects.in_bulk({event.deal_id for event in allocations})
    invoices = Invoice.objects.in_bulk({event.invoice_id for event in allocations})
    currency = current_organization().base_currency
    rows = [
        _row(event, deals[event.deal_id], currency=currency, actor=actor) for event in allocations
    ]
    parts = [
        _Part(
            commission=row,
            invoice=invoices[event.invoice_id],
            before=Money(event.collected_before_minor, event.currency),
        )
        for row, event in zip(rows, allocations, strict=True)
    ]
    _work_out(parts)
    Commission.objects.bulk_create(rows, batch_size=ROWS_PER_STATEMENT)
    history.record_bulk_created(rows, actor=actor)
    _book(rows, actor=actor)


@transaction.atomic
def complete_waiting(*, actor: Actor, limit: int = RETRY_BATCH) -> int:
    """Work out waiting commissions whose plan and rate are known by now; says how many.

    Those that another transaction is completing are left to it. Call it again until it says 0.

    :raises Forbidden: the actor may not set plans (or is not the system).
    """
    actor.require("commissions.add_commissionplan")
    locks.hold_shared(PLANS)
    rows = list(
        Commission.objects.waiting()
        .filter(_can_be_worked_out())
        .select_related("allocation", "invoice")
        .order_by("earned_on", "id")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)[:limit]
    )
    parts = [
        _Part(
            commission=row,
            invoice=row.invoice,
            before=Money(row.allocation.collected_before_minor, row.allocation.currency),
        )
        for row in rows
    ]
    _work_out(parts)
    for row in rows:
        row.updated_by_id = actor.user_id
        row.updated_at = clock.now()
    Commission.objects.bulk_update(
        rows,
        [
            "state",
            "missing",
            "plan",
            "net_minor",
            "amount_minor",
            "basis",
            "steps",
            "effective_on",
            "accrued_at",
            "updated_at",
            "updated_by_id",
        ],
        batch_size=ROWS_PER_STATEMENT,
    )
    history.record_bulk_changed(
        rows,
        [_completed(row) for row in rows],
        actor=actor,
    )
    _book(rows, actor=actor)
    return len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A commission to be worked out: its invoice, and what that had received before."""

    commission: Commission
    invoice: Invoice
    before: Money


def _row(event: PaymentAllocated, deal: Deal, *, currency: str, actor: Actor) -> Commission:
    return Commission(
        owner_id=deal.owner_id,
        deal_id=deal.id,
        invoice_id=event.invoice_id,
        payment_id=event.payment_id,
        allocation_id=event.subject_id,
        collected_minor=event.amount_minor,
        collected_currency=event.currency,
        currency=currency,
        earned_on=event.effective_on,
        effective_on=event.effective_on,
        state=CommissionState.WAITING,
        missing=Missing.PLAN,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )


def _work_out(parts: Sequence[_Part]) -> None:
    """Fill in what plan and rate of the day give; rows for which one is missing wait.

    What accrues takes effect on that day or, where the books of it are closed by now, on the first
    day that is open: row, figures and posting tell the same.
    """
    earned = {part.commission.earned_on for part in parts}
    plans, days = plans_on(days=earned), first_open_days(days=earned)
    rates = rates_known(wanted={_exchange(part.commission) for part in parts})
    moment = clock.now()
    for part in parts:
        row = part.commission
        plan, rate = plans[row.earned_on], rates.get(_exchange(row))
        if plan is None or rate is None:
            row.missing = Missing.PLAN if plan is None else Missing.RATE
            continue
        basis = Basis(
            net=part.invoice.net,
            gross=part.invoice.total,
            before=part.before,
            after=part.before + row.collected,
            percent=plan.percent,
            rate=rate,
            currency=row.currency,
        )
        reckoning = reckon(basis)
        row.state, row.missing = CommissionState.ACCRUED, ""
        row.plan, row.accrued_at = plan, moment
        row.effective_on = days[row.earned_on]
        row.net_minor = reckoning.net.minor
        row.amount_minor = reckoning.commission.minor
        row.basis = basis.to_json()
        row.steps = [step.to_json() for step in reckoning.steps]


def _completed(row: Commission) -> dict[str, tuple[object, object]]:
    """What the field history keeps of a commission that waited and has accrued."""
    changes: dict[str, tuple[object, object]] = {
        "state": (CommissionState.WAITING.value, CommissionState.ACCRUED.value),
        "amount_minor": (None, row.amount_minor),
    }
    if row.effective_on != row.earned_on:
        changes["effective_on"] = (row.earned_on, row.effective_on)
    return changes


def _can_be_worked_out() -> Q:
    """The waiting commissions of all days and currencies for which nothing is missing any more."""
    waiting = set(
        Commission.objects.waiting()
        .order_by()
        .values_list("earned_on", "collected_currency", "currency")
        .distinct()
    )
    plans = plans_on(days={day for day, _, _ in waiting})
    ready = Q(pk__in=[])
    for day, base, quote in rates_known(wanted=waiting):
        if plans[day] is not None:
            ready |= Q(earned_on=day, collected_currency=base, currency=quote)
    return ready


def _exchange(row: Commission) -> Wanted:
    return row.earned_on, row.collected_currency, row.currency


def _book(rows: Sequence[Commission], *, actor: Actor) -> None:
    """Post what has accrued, and record all of it."""
    accrued = [row for row in rows if row.state == CommissionState.ACCRUED]
    postings = [
        ledger.Posting(
            rule="commission.accrued",
            source_type="commissions.commission",
            source_id=row.id,
            amounts={"amount": row.amount},
            subledgers={"user": row.owner_id},
            effective_on=row.effective_on,
        )
        for row in accrued
    ]
    if postings:
        ledger.post(postings=postings, actor=actor)
    audit.record_all([_event(row) for row in rows], actor=actor)


def _event(row: Commission) -> Event:
    if row.state == CommissionState.WAITING:
        return events.CommissionDelayed(
            subject_id=row.id,
            owner_id=row.owner_id,
            deal_id=row.deal_id,
            payment_id=row.payment_id,
            missing=row.missing,
            earned_on=row.earned_on,
        )
    assert row.amount_minor is not None
    return events.CommissionAccrued(
        subject_id=row.id,
        owner_id=row.owner_id,
        deal_id=row.deal_id,
        payment_id=row.payment_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        earned_on=row.earned_on,
        effective_on=row.effective_on,
    )
