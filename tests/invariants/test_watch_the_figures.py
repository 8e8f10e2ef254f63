"""Whatever is done to numbers, allocations, commissions and figures turns the watch red."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from shared_apps.access.actors import system_actor
from tenant_apps.commissions.services import add_plan
from tenant_apps.dashboards.recounting import differences
from tenant_apps.invariants.models import InvariantCheck
from tenant_apps.invariants.services import watch
from tenant_apps.ledger.selectors import books_stop
from tests.cast import Cast, cast
from tests.payments.stories import a_verified_payment, a_won_deal, kes

__all__ = ["cast"]

NAMES = ("invoices.numbers", "payments.allocations", "commissions.accruals", "dashboards.rollup")


def run(**values: Any) -> list[str]:
    return watch(actor=system_actor("test"), names=NAMES, **values)


@pytest.fixture
def sold(cast: Cast) -> Cast:
    """Two deals won and partly paid, found right."""
    add_plan(
        actor=system_actor("test"), name="Plan", percent=Decimal(5), starts_on=date(2020, 1, 1)
    )
    assert run() == []
    for _ in range(2):
        a_verified_payment(cast, a_won_deal(cast), kes("400.00"))
    assert run() == []
    return cast


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rules() -> dict[str, set[str]]:
    return {
        check.name: {finding["rule"] for finding in check.findings}
        for check in InvariantCheck.objects.red()
    }


# What somebody did, which invariant says so, by which rule. A sweep sees all of them.
CASES = [
    (
        "UPDATE invoices_invoicecounter SET last_number = last_number + 1",
        "invoices.numbers",
        "numbers have no gap",
    ),
    (
        "UPDATE invoices_invoicecounter SET last_number = last_number - 1",
        "invoices.numbers",
        "numbers have no gap",
    ),
    ("DELETE FROM invoices_invoicecounter", "invoices.numbers", "numbers come from a counter"),
    (
        "UPDATE invoices_invoice SET sequence = sequence + 10",
        "invoices.numbers",
        "numbers have no gap",
    ),
    (
        "UPDATE payments_payment SET allocated_minor = allocated_minor - 1",
        "payments.allocations",
        "what is allocated of a payment is the sum of its parts",
    ),
    (
        "UPDATE payments_payment SET amount_minor = 1, allocated_minor = 1",
        "payments.allocations",
        "no more of a payment is allocated than was paid",
    ),
    (
        "UPDATE invoices_invoice SET allocated_minor = allocated_minor - 1",
        "payments.allocations",
        "what is allocated to an invoice is the sum of its parts",
    ),
    (
        "UPDATE invoices_invoice SET net_minor = 1, tax_minor = 0, total_minor = 1,"
        " allocated_minor = 1",
        "payments.allocations",
        "no more is allocated to an invoice than it asks for",
    ),
    (
        "DELETE FROM commissions_commission",
        "commissions.accruals",
        "every allocation has its commission",
    ),
    (
        "UPDATE commissions_commission SET amount_minor = amount_minor + 1",
        "commissions.accruals",
        "what accrued stands in the books",
    ),
    (
        "UPDATE dashboards_rollup SET won_minor = won_minor + 1 WHERE grain = 'month'",
        "dashboards.rollup",
        "the rollup equals a recount",
    ),
    ("DELETE FROM dashboards_rollup", "dashboards.rollup", "the rollup equals a recount"),
]
# These lie outside of what changed, and wait for a sweep.
SWEPT = ("DELETE FROM invoices_invoicecounter", "UPDATE invoices_invoice SET sequence")


@pytest.mark.parametrize(("statement", "name", "rule"), CASES)
def test_each_kind_is_seen_and_stops_no_books(
    sold: Cast, statement: str, name: str, rule: str
) -> None:
    execute(statement)
    assert name in run(sweep=True)
    assert rule in rules()[name]
    assert books_stop() is None, "it does not concern the ledger"


@pytest.mark.parametrize(
    ("statement", "name", "rule"), [one for one in CASES if not one[0].startswith(SWEPT)]
)
def test_each_kind_that_touches_what_changed_is_seen_at_once(
    sold: Cast, statement: str, name: str, rule: str
) -> None:
    execute(statement)
    assert name in run()
    assert rule in rules()[name]


@pytest.mark.parametrize("grain", ["all", "year", "quarter"])
@pytest.mark.parametrize("start", [(1, 1), (4, 6), (7, 1), (11, 28)])
def test_a_sweep_recounts_every_period_of_any_fiscal_year(
    cast: Cast, tenant: Any, grain: str, start: tuple[int, int]
) -> None:
    tenant.fiscal_year_start_month, tenant.fiscal_year_start_day = start
    for month, day in ((1, 1), (4, 5), (4, 6), (11, 27), (11, 28), (12, 31)):
        a_won_deal(cast, closed_on=date(2025, month, day))
    a_verified_payment(cast, a_won_deal(cast), kes("400.00"))
    assert differences() == []
    assert run(sweep=True) == []
    execute(f"UPDATE dashboards_rollup SET won_count = won_count + 1 WHERE grain = '{grain}'")
    assert run(sweep=True) == ["dashboards.rollup"]
    assert {one.key.grain for one in differences()} == {grain}


def test_what_did_not_change_is_not_read_again(sold: Cast) -> None:
    run()
    read = dict(InvariantCheck.objects.values_list("name", "rows_read"))
    assert read["invoices.numbers"] == 0
    assert read["dashboards.rollup"] > 0, "what is ten minutes old is read once more"
