"""Fiscal years and their periods: opened a year at a time, closed and reopened one by one."""

from datetime import date, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from tenant_apps.ledger import database
from tenant_apps.ledger.errors import (
    FiscalYearExists,
    PeriodAlreadyClosed,
    PeriodNotClosed,
    PeriodNotEnded,
)
from tenant_apps.ledger.events import FiscalYearOpened, PeriodClosed, PeriodReopened
from tenant_apps.ledger.models import FiscalPeriod, PeriodState
from tenants.context import current_organization
from tenants.models import Organization

_MONTHS = 12


@transaction.atomic
def open_fiscal_year(*, actor: Actor, fiscal_year: int) -> list[FiscalPeriod]:
    """Make the twelve periods of a fiscal year, which is named by the year it ends in.

    :raises FiscalYearExists: it has periods, or its months belong to another year's.
    """
    actor.require("ledger.add_fiscalperiod")
    organization = current_organization()
    periods = _periods_of(organization, fiscal_year=fiscal_year, actor=actor)
    overlapping = FiscalPeriod.objects.filter(
        starts_on__lte=periods[-1].ends_on, ends_on__gte=periods[0].starts_on
    )
    if overlapping.exists():
        raise FiscalYearExists(extra={"fiscal_year": fiscal_year})
    try:
        with transaction.atomic():
            FiscalPeriod.objects.bulk_create(periods)
    except IntegrityError as problem:
        raise FiscalYearExists(extra={"fiscal_year": fiscal_year}) from problem
    event = FiscalYearOpened(subject_id=periods[0].id, fiscal_year=fiscal_year)
    audit.record(event, actor=actor)
    return periods


@transaction.atomic
def close_period(*, actor: Actor, period_id: UUID) -> FiscalPeriod:
    """Close a period that has ended: nothing more may take effect in it.

    It waits for all who are posting now, so that none of them slips in behind it.

    :raises NotFound: there is no such period.
    :raises PeriodAlreadyClosed: it is closed.
    :raises PeriodNotEnded: its last day is not over.
    """
    period = _locked(period_id, actor=actor)
    actor.require("ledger.close_fiscalperiod", period)
    if period.state == PeriodState.CLOSED:
        raise PeriodAlreadyClosed
    if period.ends_on >= clock.today(current_organization().time_zone):
        raise PeriodNotEnded(
            f"Its last day is {period.ends_on}: close it when that is over.",
            extra={"ends_on": period.ends_on.isoformat()},
        )
    database.wait_for_postings()
    period.state = PeriodState.CLOSED
    period.closed_at = clock.now()
    period.closed_by_id = actor.user_id
    period.updated_by_id = actor.user_id
    period.save(update_fields=["state", "closed_at", "closed_by_id", "updated_at", "updated_by_id"])
    event = PeriodClosed(subject_id=period.id, starts_on=period.starts_on, ends_on=period.ends_on)
    audit.record(event, actor=actor)
    return period


@transaction.atomic
def reopen_period(*, actor: Actor, period_id: UUID, reason: str) -> FiscalPeriod:
    """Open a closed period again, for a reason that the audit keeps.

    :raises NotFound: there is no such period.
    :raises PeriodNotClosed: it is open.
    """
    period = _locked(period_id, actor=actor)
    actor.require("ledger.reopen_fiscalperiod", period)
    if period.state == PeriodState.OPEN:
        raise PeriodNotClosed
    period.state = PeriodState.OPEN
    period.closed_at = None
    period.closed_by_id = None
    period.updated_by_id = actor.user_id
    period.save(update_fields=["state", "closed_at", "closed_by_id", "updated_at", "updated_by_id"])
    event = PeriodReopened(
        subject_id=period.id,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        reason=reason,
    )
    audit.record(event, actor=actor)
    return period


@step
def seed_periods(*, organization: Organization, actor: Actor) -> None:
    """Make the periods of the fiscal year that is running on the organization's first day."""
    if FiscalPeriod.objects.exists():
        return
    year = organization.fiscal_calendar.year_of(clock.today(organization.time_zone))
    FiscalPeriod.objects.bulk_create(_periods_of(organization, fiscal_year=year, actor=actor))


def _locked(period_id: UUID, *, actor: Actor) -> FiscalPeriod:
    visible = actor.visible(FiscalPeriod.objects.all(), "ledger.view_fiscalperiod")
    period: FiscalPeriod = visible.locked(period_id)
    return period


def _periods_of(
    organization: Organization, *, fiscal_year: int, actor: Actor
) -> list[FiscalPeriod]:
    first = organization.fiscal_calendar.first_day_of_year(fiscal_year)
    starts = [_months_after(first, months) for months in range(_MONTHS + 1)]
    return [
        FiscalPeriod(
            fiscal_year=fiscal_year,
            number=number,
            starts_on=starts[number - 1],
            ends_on=starts[number] - timedelta(days=1),
            created_by_id=actor.user_id,
        )
        for number in range(1, _MONTHS + 1)
    ]


def _months_after(day: date, months: int) -> date:
    # The day of the month is 28 at most (the organization's own constraint), so it always exists.
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, day.day)
