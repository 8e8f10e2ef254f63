"""A plan is added while commissions accrue: real connections, real commits."""

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from tenant_apps.commissions.models import Commission, CommissionPlan
from tenant_apps.commissions.services import add_plan, complete_waiting
from tenant_apps.dashboards.recounting import differences
from tenant_apps.payments.services import verify_payment
from tenants.selectors import organization_by_subdomain
from tests.cast import Cast, assemble
from tests.connections import Other
from tests.payments.stories import a_payment, a_verified_payment, a_won_deal, kes

MARCH = date(2026, 3, 1)


@pytest.fixture
def cast(real_commits: Any) -> Cast:
    return assemble()


def ten_per_cent(cast: Cast) -> None:
    add_plan(actor=cast.actor("ada"), name="Ten", percent=Decimal(10), starts_on=MARCH)


def test_a_plan_waits_for_what_accrues_and_never_reaches_back(
    real_commits: Any, cast: Cast
) -> None:
    payment = a_payment(cast, a_won_deal(cast, closed_on=MARCH), kes("1000.00"))
    with transaction.atomic():
        verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
        adding = Other(real_commits, partial(ten_per_cent, cast))
        assert adding.waits()
    assert adding.end() == "commission_plan_too_early"
    assert CommissionPlan.objects.count() == 1
    assert Commission.objects.get().amount == kes("50.00")


def test_what_accrues_waits_for_the_plan_and_goes_by_it(real_commits: Any, cast: Cast) -> None:
    payment = a_payment(cast, a_won_deal(cast, closed_on=MARCH), kes("1000.00"))
    with transaction.atomic():
        ten_per_cent(cast)
        verifying = Other(
            real_commits,
            partial(verify_payment, actor=cast.actor("vera"), payment_id=payment.pk),
        )
        assert verifying.waits()
    assert verifying.end() == "done"
    assert Commission.objects.get().amount == kes("100.00")


def test_what_waited_is_completed_by_the_plan_that_is_being_added(
    real_commits: Any, cast: Cast
) -> None:
    CommissionPlan.objects.update(starts_on=date(2026, 6, 1))
    a_verified_payment(cast, a_won_deal(cast, closed_on=MARCH), kes("1000.00"))
    assert Commission.objects.get().missing == "plan"
    with transaction.atomic():
        ten_per_cent(cast)
        completing = Other(real_commits, partial(complete_waiting, actor=cast.system))
        assert completing.waits()
    assert completing.end() == "done"
    assert Commission.objects.get().amount == kes("100.00")
    assert differences() == []


def test_the_same_plan_twice_at_once_is_added_once(real_commits: Any, cast: Cast) -> None:
    with transaction.atomic():
        ten_per_cent(cast)
        again = Other(real_commits, partial(ten_per_cent, cast))
        assert again.waits()
    assert again.end() == "commission_plan_day_taken"
    assert CommissionPlan.objects.filter(starts_on=MARCH).count() == 1


def test_two_that_accrue_do_not_wait_for_each_others_plans(real_commits: Any, cast: Cast) -> None:
    payments = [
        a_payment(cast, a_won_deal(cast, owner=owner, closed_on=MARCH), kes("10.00"), by=owner)
        for owner in ("olga", "oscar")
    ]
    with transaction.atomic():
        # What is held here is the lock alone: the books have hot rows of their own.
        complete_waiting(actor=cast.system)
        other = Other(
            real_commits,
            partial(verify_payment, actor=cast.actor("vera"), payment_id=payments[0].pk),
        )
        assert other.end() == "done"


def test_a_neighbour_who_accrues_is_not_in_the_way(real_commits: Any, cast: Cast) -> None:
    with transaction.atomic():
        complete_waiting(actor=cast.system)
        neighbour = organization_by_subdomain("neighbour")

        def adding() -> None:
            add_plan(actor=cast.system, name="Ten", percent=Decimal(10), starts_on=MARCH)

        assert Other(neighbour, adding).end() == "done"
