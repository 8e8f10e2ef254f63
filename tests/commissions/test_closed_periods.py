"""A commission that accrues after its period was closed: row, figures and books tell one story."""

import io
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.money import Money
from shared_apps.reference.services import load_rates
from tenant_apps.commissions import errors
from tenant_apps.commissions.models import Commission
from tenant_apps.commissions.services import add_plan, complete_waiting
from tenant_apps.dashboards.models import Rollup
from tenant_apps.dashboards.recounting import differences
from tenant_apps.ledger.models import FiscalPeriod, PeriodState, Transfer
from tenants.context import platform_context
from tests.cast import Cast
from tests.payments.stories import a_verified_payment, a_won_deal, kes

MARCH, EARNED, OPEN = date(2026, 3, 1), date(2026, 3, 10), date(2026, 4, 1)


def close_march() -> None:
    FiscalPeriod.objects.filter(starts_on__year=2026).delete()
    FiscalPeriod.objects.create(
        fiscal_year=2026,
        number=3,
        starts_on=MARCH,
        ends_on=date(2026, 3, 31),
        state=PeriodState.CLOSED,
    )


def learn_rates() -> None:
    rates = "Date,USD,KES,\n2026-03-10,1.10,143.00,\n2026-04-01,1.00,200.00,\n"
    with platform_context(reason="test"):
        load_rates(lines=io.StringIO(rates), source="ECB")


def a_waiting_commission(cast: Cast) -> Commission:
    """Of 50 dollars, earned on 10 March, whose rate nobody has published yet."""
    deal = a_won_deal(cast, closed_on=MARCH, value=Money.parse("1000.00", "USD"))
    payment = a_verified_payment(cast, deal, Money.parse("1000.00", "USD"), paid_on=EARNED)
    found: Commission = Commission.objects.get(payment=payment)
    return found


def by_month(rows: object) -> dict[str, int]:
    found: Counter[str] = Counter()
    for day, minor in rows:  # type: ignore[attr-defined]  # of any values_list
        found[f"{day:%Y-%m}"] += minor
    return dict(found)


def test_takes_effect_on_the_first_open_day(cast: Cast) -> None:
    commission = a_waiting_commission(cast)
    assert (commission.earned_on, commission.effective_on) == (EARNED, EARNED)
    close_march()
    learn_rates()

    assert complete_waiting(actor=cast.system) == 1

    commission.refresh_from_db()
    assert (commission.earned_on, commission.effective_on) == (EARNED, OPEN)
    # By the rate of March, 130, not that of April.
    assert commission.amount == kes("6500.00")
    assert Transfer.objects.get(rule="commission.accrued").effective_on == OPEN
    told = AuditEntry.objects.get(event_name="commissions.commission_accrued").payload
    assert (told["earned_on"], told["effective_on"]) == ("2026-03-10", "2026-04-01")


def test_the_months_of_rows_figures_and_books_are_the_same(cast: Cast) -> None:
    a_waiting_commission(cast)
    deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.00"))
    a_verified_payment(cast, deal, kes("100.00"), paid_on=EARNED)
    close_march()
    learn_rates()
    complete_waiting(actor=cast.system)
    a_verified_payment(cast, deal, kes("200.00"), paid_on=date(2026, 3, 20))

    rows = by_month(Commission.objects.values_list("effective_on", "amount_minor"))
    books = by_month(
        Transfer.objects.filter(rule="commission.accrued").values_list(
            "effective_on", "amount_minor"
        )
    )
    figures = dict(
        Rollup.objects.filter(
            dimension="organization", grain="month", currency="KES", commission_count__gt=0
        )
        .values_list("period")
        .annotate(Sum("commission_minor"))
    )
    assert rows == books == figures == {"2026-03": 5_00, "2026-04": 6500_00 + 10_00}
    assert differences() == []


def test_what_is_completed_in_time_keeps_its_day(cast: Cast) -> None:
    commission = a_waiting_commission(cast)
    learn_rates()
    complete_waiting(actor=cast.system)
    commission.refresh_from_db()
    assert commission.effective_on == commission.earned_on == EARNED


def test_a_plan_may_start_between_the_two_days(cast: Cast) -> None:
    commission = a_waiting_commission(cast)
    close_march()
    learn_rates()
    complete_waiting(actor=cast.system)
    with pytest.raises(errors.PlanTooEarly):
        add_plan(actor=cast.actor("ada"), name="A", percent=Decimal(9), starts_on=EARNED)
    add_plan(actor=cast.actor("ada"), name="B", percent=Decimal(9), starts_on=date(2026, 3, 11))
    commission.refresh_from_db()
    assert commission.amount == kes("6500.00")


def test_a_new_plan_completes_what_waited_in_a_closed_period(cast: Cast) -> None:
    from tenant_apps.commissions.models import CommissionPlan

    CommissionPlan.objects.all().delete()
    deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.00"))
    a_verified_payment(cast, deal, kes("1000.00"), paid_on=EARNED)
    close_march()
    add_plan(actor=cast.actor("ada"), name="Ten", percent=Decimal(10), starts_on=MARCH)
    commission = Commission.objects.get()
    assert (commission.amount, commission.effective_on) == (kes("100.00"), OPEN)


def test_the_explanation_states_both_days(cast: Cast) -> None:
    commission = a_waiting_commission(cast)
    close_march()
    learn_rates()
    complete_waiting(actor=cast.system)
    olga = cast.api("olga")
    for path in (f"commissions/{commission.pk}/", f"commissions/{commission.pk}/explanation/"):
        shown = olga.get(path).json()
        assert (shown["earned_on"], shown["effective_on"]) == ("2026-03-10", "2026-04-01")
    assert shown["is_same"] is True
    for query, number in (("earned_to=2026-03-31", 1), ("effective_to=2026-03-31", 0)):
        assert len(olga.get(f"commissions/?{query}").json()["results"]) == number


def test_is_never_in_the_books_before_it_was_earned(cast: Cast) -> None:
    a_waiting_commission(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Commission.objects.update(earned_on=F("effective_on"), effective_on=MARCH)
