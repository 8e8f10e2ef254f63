"""Commission on money that was used for invoices."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden
from shared_apps.kernel.money import Money
from shared_apps.reference.services import load_rates
from tenant_apps.commissions import errors
from tenant_apps.commissions.models import Commission, CommissionPlan
from tenant_apps.commissions.services import accrue_commissions, add_plan, complete_waiting
from tenant_apps.commissions.tasks import complete_waiting as complete_waiting_task
from tenant_apps.deals.models import Deal
from tenant_apps.deals.services import DealWin, win_deals
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.selectors import balance_of
from tenant_apps.payments.events import PaymentAllocated
from tenant_apps.payments.models import Allocation
from tenant_apps.payments.services import Verification, record_payments, verify_payments
from tenant_apps.products.models import TaxRate
from tenants.context import current_organization, platform_context
from tenants.tasks import HEADER
from tests.cast import Cast
from tests.payments.stories import (
    a_verified_payment,
    a_won_deal,
    an_open_deal,
    kes,
    new_payment,
)

MARCH = date(2026, 3, 1)
RATES = """Date,USD,KES,
2026-03-10,1.10,143.00,
"""


def vat(cast: Cast) -> TaxRate:
    return TaxRate.objects.create(code="VAT16", name="VAT 16 %", category="S", percent=Decimal(16))


def load(text: str) -> None:
    with platform_context(reason="test"):
        load_rates(lines=io.StringIO(text), source="ECB")


def a_won_deal_in_dollars(cast: Cast) -> Deal:
    return a_won_deal(cast, closed_on=MARCH, value=Money.parse("1000.00", "USD"))


def test_the_owner_earns_five_per_cent_net_of_tax(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.00"), tax_rate_id=vat(cast).pk)
    payment = a_verified_payment(cast, deal, kes("1160.00"))
    commission = Commission.objects.get(payment=payment)
    assert (commission.state, commission.owner_id) == ("accrued", cast.user("olga").pk)
    assert (commission.collected, commission.net) == (kes("1160.00"), kes("1000.00"))
    assert commission.amount == kes("50.00")
    assert commission.effective_on == payment.effective_on


def test_is_booked_as_owed_to_the_owner(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.00"))
    a_verified_payment(cast, deal, kes("1000.00"))
    owed = balance_of(account_code="2200", currency="KES", subledger_id=cast.user("olga").pk)
    assert owed == balance_of(account_code="5000", currency="KES") == kes("50.00")


def test_nothing_is_earned_on_money_that_no_invoice_took(cast: Cast) -> None:
    a_verified_payment(cast, an_open_deal(cast))
    assert not Commission.objects.exists()


def test_is_earned_when_the_invoice_takes_what_waited(cast: Cast) -> None:
    deal = an_open_deal(cast, value=kes("1000.00"))
    a_verified_payment(cast, deal, kes("400.00"))
    win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk, closed_on=date(2026, 4, 1))])
    commission = Commission.objects.get()
    assert (commission.amount, commission.effective_on) == (kes("20.00"), date(2026, 4, 1))


def test_the_parts_of_an_invoice_earn_what_the_whole_earns(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.01"), tax_rate_id=vat(cast).pk)
    invoice = deal.invoices.get()
    for amount in ("0.01", "0.02", "333.33"):
        a_verified_payment(cast, deal, kes(amount))
    a_verified_payment(cast, deal, invoice.total)
    earned = [row.amount for row in Commission.objects.all()]
    assert len(earned) == 4
    assert Money.total(earned, currency="KES") == kes("50.00")
    nets = [row.net for row in Commission.objects.all()]
    assert Money.total(nets, currency="KES") == invoice.net


def test_a_batch_is_booked_in_one_go(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.00"))
    payments = record_payments(
        actor=cast.actor("olga"), payments=[new_payment(deal, kes("100.00")) for _ in range(5)]
    )
    verify_payments(
        actor=cast.actor("vera"),
        verifications=[Verification(payment_id=row.pk) for row in payments],
    )
    rows = Commission.objects.all()
    assert [row.amount for row in rows] == [kes("5.00")] * 5
    assert Transfer.objects.filter(rule="commission.accrued").count() == 5


def test_another_currency_is_converted_at_the_rate_of_the_day(cast: Cast) -> None:
    load(RATES)
    a_verified_payment(cast, a_won_deal_in_dollars(cast), Money.parse("1000.00", "USD"))
    commission = Commission.objects.get()
    # 1,000 USD x 5 % = 50 USD; 143.00 / 1.10 = 130 KES to the dollar.
    assert commission.amount == kes("6500.00")
    assert commission.basis["rate"] == "130/1"
    assert commission.collected == Money.parse("1000.00", "USD")


def test_waits_for_a_rate_and_is_completed_when_it_is_known(cast: Cast) -> None:
    payment = a_verified_payment(cast, a_won_deal_in_dollars(cast), Money.parse("1000.00", "USD"))
    commission = Commission.objects.get(payment=payment)
    assert (commission.state, commission.missing, commission.amount) == ("waiting", "rate", None)
    assert AuditEntry.objects.filter(event_name="commissions.commission_delayed").exists()
    assert complete_waiting(actor=cast.system) == 0

    load(RATES)
    assert complete_waiting(actor=cast.system) == 1
    commission.refresh_from_db()
    assert (commission.state, commission.amount) == ("accrued", kes("6500.00"))
    assert balance_of(account_code="5000", currency="KES") == kes("6500.00")
    assert complete_waiting(actor=cast.system) == 0
    assert Transfer.objects.filter(rule="commission.accrued").count() == 1


def test_one_that_still_waits_does_not_hold_up_the_others(cast: Cast) -> None:
    deal = a_won_deal_in_dollars(cast)
    old = a_verified_payment(cast, deal, Money.parse("1.00", "USD"), paid_on=MARCH)
    new = a_verified_payment(cast, deal, Money.parse("1.00", "USD"))
    load(RATES)
    assert complete_waiting(actor=cast.system, limit=1) == 1
    states = dict(Commission.objects.values_list("payment_id", "state"))
    assert states == {old.pk: "waiting", new.pk: "accrued"}


def test_many_unknown_rates_cost_no_more_statements_than_one(cast: Cast) -> None:
    deal = a_won_deal_in_dollars(cast)
    counts = []
    for days in (1, 30):
        for day in range(1, days + 1):
            a_verified_payment(
                cast, deal, Money.parse("1.00", "USD"), paid_on=MARCH.replace(day=day)
            )
        with CaptureQueriesContext(connection) as captured:
            assert complete_waiting(actor=cast.system) == 0
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_is_tried_again_by_the_task(cast: Cast) -> None:
    a_verified_payment(cast, a_won_deal_in_dollars(cast), Money.parse("1000.00", "USD"))
    load(RATES)
    organization = current_organization()
    complete_waiting_task.apply(headers={HEADER: str(organization.id)}, throw=True)
    assert Commission.objects.get().state == "accrued"


def test_waits_for_a_plan_and_is_completed_by_it(cast: Cast) -> None:
    CommissionPlan.objects.all().delete()
    deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.00"))
    a_verified_payment(cast, deal, kes("1000.00"))
    assert Commission.objects.get().missing == "plan"
    add_plan(actor=cast.actor("ada"), name="Ten", percent=Decimal(10), starts_on=date(2026, 1, 1))
    assert Commission.objects.get().amount == kes("100.00")


def test_a_plan_of_nothing_accrues_nothing_and_books_nothing(cast: Cast) -> None:
    CommissionPlan.objects.update(percent=Decimal(0))
    a_verified_payment(cast, a_won_deal(cast, closed_on=MARCH), kes("10.00"))
    assert Commission.objects.get().amount == kes("0.00")
    assert not Transfer.objects.filter(rule="commission.accrued").exists()


def test_accrues_once_for_an_allocation(cast: Cast) -> None:
    a_verified_payment(cast, a_won_deal(cast, closed_on=MARCH), kes("10.00"))
    allocation = Allocation.objects.get()
    again = PaymentAllocated(
        subject_id=allocation.pk,
        payment_id=allocation.payment_id,
        invoice_id=allocation.invoice_id,
        deal_id=allocation.payment.deal_id,
        amount_minor=allocation.amount_minor,
        collected_before_minor=0,
        currency="KES",
        effective_on=allocation.effective_on,
    )
    with pytest.raises(IntegrityError):
        accrue_commissions(allocations=[again], actor=cast.system)


class TestPlans:
    def test_the_plan_of_the_day_counts(self, cast: Cast) -> None:
        add_plan(
            actor=cast.actor("ada"), name="Eight", percent=Decimal(8), starts_on=date(2026, 3, 10)
        )
        deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.00"))
        a_verified_payment(cast, deal, kes("100.00"), paid_on=date(2026, 3, 9))
        a_verified_payment(cast, deal, kes("100.00"), paid_on=date(2026, 3, 10))
        earned = Commission.objects.order_by("effective_on")
        assert [row.amount for row in earned] == [kes("5.00"), kes("8.00")]

    def test_never_reaches_back_to_what_has_accrued(self, cast: Cast) -> None:
        a_verified_payment(cast, a_won_deal(cast, closed_on=MARCH), kes("10.00"))
        with pytest.raises(errors.PlanTooEarly):
            add_plan(actor=cast.actor("ada"), name="Late", percent=Decimal(9), starts_on=MARCH)
        assert CommissionPlan.objects.count() == 1

    def test_one_starts_on_a_day(self, cast: Cast) -> None:
        day = date(2026, 9, 1)
        add_plan(actor=cast.actor("ada"), name="A", percent=Decimal(6), starts_on=day)
        with pytest.raises(errors.PlanDayTaken):
            add_plan(actor=cast.actor("ada"), name="B", percent=Decimal(7), starts_on=day)

    @pytest.mark.parametrize("name", ["olga", "lea", "vera", "sam"])
    def test_are_set_by_admins(self, cast: Cast, name: str) -> None:
        with pytest.raises(Forbidden):
            add_plan(
                actor=cast.actor(name), name="Mine", percent=Decimal(99), starts_on=date(2027, 1, 1)
            )


class TestApi:
    def test_shows_each_what_they_may_see(self, cast: Cast) -> None:
        a_verified_payment(cast, a_won_deal(cast, closed_on=MARCH), kes("10.00"))
        commission = Commission.objects.get()
        for name, status in {
            "olga": 200,
            "lea": 200,
            "sam": 200,
            "ada": 200,
            "oscar": 404,
            "paul": 404,
            "vera": 404,
        }.items():
            answer = cast.api(name).get(f"commissions/{commission.pk}/")
            assert answer.status_code == status, (name, answer.json())

    def test_explains_and_works_it_out_again(self, cast: Cast) -> None:
        deal = a_won_deal(cast, closed_on=MARCH, value=kes("1000.00"), tax_rate_id=vat(cast).pk)
        a_verified_payment(cast, deal, kes("580.00"))
        commission = Commission.objects.get()
        answer = cast.api("olga").get(f"commissions/{commission.pk}/explanation/")
        assert answer.status_code == 200, answer.json()
        shown = answer.json()
        assert shown["is_same"] is True
        assert shown["amount"] == shown["recomputed"] == {"amount": "25.00", "currency": "KES"}
        assert [step["result"] for step in shown["steps"]] == [
            "KES 580.00",
            "KES 500.00",
            "KES 25.00",
        ]
        assert shown["basis"]["percent"] == "5.0000"

    def test_says_that_a_stored_amount_is_not_what_the_basis_gives(self, cast: Cast) -> None:
        a_verified_payment(cast, a_won_deal(cast, closed_on=MARCH), kes("10.00"))
        Commission.objects.update(amount_minor=999)
        commission = Commission.objects.get()
        shown = cast.api("ada").get(f"commissions/{commission.pk}/explanation/").json()
        assert shown["is_same"] is False

    def test_has_no_explanation_while_it_waits(self, cast: Cast) -> None:
        a_verified_payment(cast, a_won_deal_in_dollars(cast), Money.parse("10.00", "USD"))
        commission = Commission.objects.get()
        answer = cast.api("olga").get(f"commissions/{commission.pk}/explanation/")
        assert (answer.status_code, answer.json()["code"]) == (409, "commission_not_reckoned")
        shown = cast.api("olga").get("commissions/?state=waiting&missing=rate").json()["results"]
        assert [row["amount"] for row in shown] == [None]

    def test_a_plan_is_set_with_exact_percents(self, cast: Cast) -> None:
        ada = cast.api("ada")
        body = {"name": "New", "percent": "7.5", "starts_on": "2026-09-01"}
        answer = ada.post("commission-plans/", body)
        assert answer.status_code == 201, answer.json()
        assert answer.json()["percent"] == "7.5000"
        for wrong in ("101", "-1", "1.00001", "NaN", "x"):
            assert ada.post("commission-plans/", {**body, "percent": wrong}).status_code == 400

    @pytest.mark.parametrize("path", ["commissions/", "commission-plans/"])
    def test_costs_the_same_statements_for_one_row_and_for_twenty(
        self, cast: Cast, path: str
    ) -> None:
        sam = cast.api("sam")
        sam.get(path)
        deal = a_won_deal(cast, closed_on=MARCH)
        counts = []
        for wanted in (1, 20):
            while Commission.objects.count() < wanted:
                a_verified_payment(cast, deal, kes("1.00"))
            if wanted == 20:
                for day in range(1, 20):
                    add_plan(
                        actor=cast.system,
                        name=str(day),
                        percent=Decimal(day),
                        starts_on=date(2027, 1, day),
                    )
            assert sam.get(path).status_code == 200
            counts.append(len(sam.statements))
        assert counts[0] == counts[1]
