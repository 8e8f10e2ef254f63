"""Fiscal years of twelve periods; nothing takes effect in a closed one."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden, NotFound
from tenant_apps.ledger.errors import (
    FiscalYearExists,
    PeriodAlreadyClosed,
    PeriodIsClosed,
    PeriodNotClosed,
    PeriodNotEnded,
)
from tenant_apps.ledger.models import FiscalPeriod, Transfer
from tenant_apps.ledger.selectors import is_open_on, trial_balance
from tenant_apps.ledger.services import (
    Reversal,
    close_period,
    open_fiscal_year,
    post,
    reopen_period,
    reverse,
)
from tenant_apps.ledger.services.periods import _periods_of
from tenants.models import Organization
from tests.ledger.conftest import posting

pytestmark = pytest.mark.usefixtures("tenant", "in_november")

OCTOBER, NOVEMBER = date(2031, 10, 15), date(2031, 11, 15)


@pytest.fixture
def in_november() -> Iterator[None]:
    with clock.frozen(datetime(2031, 11, 20, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def october(actor: Actor) -> FiscalPeriod:
    periods = open_fiscal_year(actor=actor, fiscal_year=2031)
    return next(period for period in periods if period.number == 10)


def received(day: date, **values: Any) -> Any:
    return posting("payment.received.cash", amount="5.00", party=uuid4(), day=day, **values)


def test_a_year_is_twelve_months(actor: Actor) -> None:
    periods = open_fiscal_year(actor=actor, fiscal_year=2032)
    assert [(period.starts_on, period.ends_on) for period in periods][:3] == [
        (date(2032, 1, 1), date(2032, 1, 31)),
        (date(2032, 2, 1), date(2032, 2, 29)),
        (date(2032, 3, 1), date(2032, 3, 31)),
    ]
    assert periods[-1].ends_on == date(2032, 12, 31)
    assert AuditEntry.objects.filter(event_name="ledger.fiscal_year_opened").count() == 1
    with pytest.raises(FiscalYearExists):
        open_fiscal_year(actor=actor, fiscal_year=2032)


def test_a_year_that_starts_in_april_is_named_by_its_end(actor: Actor) -> None:
    organization = Organization(fiscal_year_start_month=4, fiscal_year_start_day=6)
    periods = _periods_of(organization, fiscal_year=2031, actor=actor)
    assert (periods[0].starts_on, periods[0].ends_on) == (date(2030, 4, 6), date(2030, 5, 5))
    assert (periods[-1].starts_on, periods[-1].ends_on) == (date(2031, 3, 6), date(2031, 4, 5))


def test_an_organization_starts_with_its_running_year() -> None:
    assert FiscalPeriod.objects.count() == 12


@pytest.mark.parametrize("count", [1, 2])
def test_nothing_is_posted_into_a_closed_period(
    actor: Actor, october: FiscalPeriod, count: int
) -> None:
    close_period(actor=actor, period_id=october.id)
    assert not is_open_on(day=OCTOBER)
    fine = [received(NOVEMBER) for _ in range(count - 1)]
    with pytest.raises(PeriodIsClosed) as refusal, transaction.atomic():
        post(postings=[*fine, received(OCTOBER)], actor=actor)
    assert refusal.value.extra == {"effective_on": "2031-10-15"}
    assert not Transfer.objects.exists()
    post(postings=[received(NOVEMBER) for _ in range(count)], actor=actor)


def test_its_days_and_no_others(actor: Actor, october: FiscalPeriod) -> None:
    close_period(actor=actor, period_id=october.id)
    for day in (date(2031, 9, 30), date(2031, 11, 1)):
        post(postings=[received(day)], actor=actor)
    for day in (date(2031, 10, 1), date(2031, 10, 31)):
        with pytest.raises(PeriodIsClosed), transaction.atomic():
            post(postings=[received(day)], actor=actor)


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_posted_before_is_still_answered(
    actor: Actor, october: FiscalPeriod, count: int
) -> None:
    postings = [received(OCTOBER) for _ in range(count)]
    first = post(postings=postings, actor=actor)
    close_period(actor=actor, period_id=october.id)
    again = post(postings=postings, actor=actor)
    assert [journal.legs for journal in again] == [journal.legs for journal in first]
    assert all(journal.replayed for journal in again)


def test_a_reversal_takes_effect_in_an_open_period(actor: Actor, october: FiscalPeriod) -> None:
    (journal,) = post(postings=[received(OCTOBER)], actor=actor)
    close_period(actor=actor, period_id=october.id)
    with pytest.raises(PeriodIsClosed), transaction.atomic():
        reverse(reversals=[Reversal(journal_id=journal.id, effective_on=OCTOBER)], actor=actor)
    reverse(reversals=[Reversal(journal_id=journal.id, effective_on=NOVEMBER)], actor=actor)
    then = trial_balance(as_of=date(2031, 10, 31))
    assert [(row.code, row.debit.to_string()) for row in then.rows if row.debit] == [
        ("1000", "5.00")
    ]
    assert trial_balance(as_of=NOVEMBER).rows == trial_balance().rows == ()


def test_it_is_closed_once_and_opened_again(actor: Actor, october: FiscalPeriod) -> None:
    with pytest.raises(PeriodNotClosed):
        reopen_period(actor=actor, period_id=october.id, reason="An invoice was late.")
    closed = close_period(actor=actor, period_id=october.id)
    assert closed.closed_at == clock.now()
    with pytest.raises(PeriodAlreadyClosed):
        close_period(actor=actor, period_id=october.id)
    reopen_period(actor=actor, period_id=october.id, reason="An invoice was late.")
    post(postings=[received(OCTOBER)], actor=actor)
    names = AuditEntry.objects.filter(subject_id=october.id).order_by("id")
    assert [entry.event_name for entry in names] == [
        "ledger.period_closed",
        "ledger.period_reopened",
    ]
    reopened = names.last()
    assert reopened is not None
    assert reopened.payload["reason"] == "An invoice was late."


def test_only_a_period_that_has_ended(actor: Actor, october: FiscalPeriod) -> None:
    november = FiscalPeriod.objects.containing(NOVEMBER).get()
    with pytest.raises(PeriodNotEnded):
        close_period(actor=actor, period_id=november.id)
    with pytest.raises(NotFound):
        close_period(actor=actor, period_id=uuid4())


def test_who_may_not_changes_nothing(october: FiscalPeriod) -> None:
    nobody = Actor(request_id="test-nobody")
    with pytest.raises(NotFound):
        close_period(actor=nobody, period_id=october.id)
    with pytest.raises(Forbidden):
        open_fiscal_year(actor=nobody, fiscal_year=2040)
