"""Verifying payments ..."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, NotFound, PreconditionFailed
from tenant_apps.approvals.errors import ContentChanged
from tenant_apps.approvals.models import Approval
from tenant_apps.approvals.services import sign
from tenant_apps.deals.services import assign_deals
from tenant_apps.ledger.models import FiscalPeriod, Transfer
from tenant_apps.ledger.selectors import balance_of, trial_balance
from tenant_apps.payments import errors
from tenant_apps.payments.models import Allocation, Payment, PaymentInvoice
from tenant_apps.payments.services import (
    Verification,
    amend_payment,
    record_payments,
    verify_payment,
    verify_payments,
)
from tests.cast import Cast
from tests.payments.stories import (
    PAID_ON,
    a_client,
    a_payment,
    a_verified_payment,
    a_won_deal,
    an_open_deal,
    kes,
    new_payment,
)

ACCOUNTS = {
    "cash": "1000",
    "bank_transfer": "1010",
    "cheque": "1020",
    "mobile_money": "1030",
    "card": "1040",
}


@pytest.mark.parametrize(("method", "account"), ACCOUNTS.items())
def test_books_the_money_where_the_method_brings_it(cast: Cast, method: str, account: str) -> None:
    deal = an_open_deal(cast)
    payment = a_verified_payment(cast, deal, kes("400.00"), method=method)
    assert payment.state == "verified"
    assert balance_of(account_code=account, currency="KES") == kes("400.00")
    deposits = balance_of(account_code="2000", currency="KES", subledger_id=deal.client_id)
    assert deposits == kes("400.00")


def test_takes_effect_on_the_day_of_payment(cast: Cast) -> None:
    payment = a_verified_payment(cast, an_open_deal(cast))
    assert payment.effective_on == PAID_ON
    assert Transfer.objects.get(source_id=payment.pk).effective_on == PAID_ON


def test_takes_effect_on_the_first_open_day_when_the_period_is_closed(cast: Cast) -> None:
    deal = an_open_deal(cast)
    payment = a_payment(cast, deal)
    FiscalPeriod.objects.filter(starts_on__year=2026).delete()
    for month, ends_on in ((3, date(2026, 3, 31)), (4, date(2026, 4, 30))):
        FiscalPeriod.objects.create(
            fiscal_year=2026,
            number=month,
            starts_on=date(2026, month, 1),
            ends_on=ends_on,
            state="closed",
        )
    verified = verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
    assert (verified.paid_on, verified.effective_on) == (PAID_ON, date(2026, 5, 1))


def test_approves_the_payment_invoice_with_it(cast: Cast) -> None:
    payment = a_verified_payment(cast, an_open_deal(cast))
    invoice = PaymentInvoice.objects.get(payment=payment)
    assert (invoice.state, invoice.decided_by_id) == ("approved", cast.user("vera").pk)


def test_uses_the_money_for_the_invoice_of_the_deal(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
    payment = a_verified_payment(cast, deal, kes("1000.00"))
    invoice = deal.invoices.get()
    allocation = Allocation.objects.get(payment=payment)
    assert (allocation.invoice_id, allocation.amount) == (invoice.pk, kes("1000.00"))
    assert payment.unapplied == kes("0.00")
    assert invoice.outstanding == invoice.total - kes("1000.00")
    assert (
        balance_of(account_code="1200", currency="KES", subledger_id=deal.client_id)
        == invoice.outstanding
    )


def test_leaves_an_over_payment_unapplied(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
    total = deal.invoices.get().total
    payment = a_verified_payment(cast, deal, total + kes("7.50"))
    assert payment.unapplied == kes("7.50")
    assert deal.invoices.get().state == "paid"
    second = a_verified_payment(cast, deal, kes("1.00"))
    assert second.unapplied == kes("1.00")
    assert not second.allocations.exists()


def test_waits_for_an_invoice_that_is_issued_later(cast: Cast) -> None:
    from tenant_apps.deals.services import DealWin, win_deals

    deal = an_open_deal(cast)
    first = a_verified_payment(cast, deal, kes("1000.00"))
    second = a_verified_payment(cast, deal, kes("1000.00"), paid_on=date(2026, 3, 11))
    assert first.unapplied == kes("1000.00")
    win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk, closed_on=date(2026, 4, 1))])
    total = deal.invoices.get().total
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.unapplied == kes("0.00")
    assert second.unapplied == kes("2000.00") - total
    parts = Allocation.objects.order_by("collected_before_minor")
    assert [part.payment_id for part in parts] == [first.pk, second.pk]
    assert {part.effective_on for part in parts} == {date(2026, 4, 1)}
    assert deal.invoices.get().state == "paid"


def test_does_not_use_money_for_the_invoice_of_another(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
    deal.invoices.update(recipient=a_client(cast, name="Ziwa Limited"))
    payment = a_verified_payment(cast, deal, kes("100.00"))
    payment.refresh_from_db()
    assert payment.unapplied == kes("100.00")
    assert deal.invoices.get().state == "issued"


def test_keeps_the_books_even(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
    a_verified_payment(cast, deal, kes("333.33"))
    assert all(total.difference.is_zero for total in trial_balance().totals)


def test_is_audited(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
    payment = a_verified_payment(cast, deal)
    entry = AuditEntry.objects.get(event_name="payments.payment_verified")
    assert (entry.subject_id, entry.actor_user_id) == (payment.pk, cast.user("vera").pk)
    assert AuditEntry.objects.filter(event_name="payments.payment_allocated").count() == 1


def test_is_refused_to_whoever_recorded_it(cast: Cast) -> None:
    deal = an_open_deal(cast)
    payment = record_payments(
        actor=cast.system, payments=[new_payment(deal, recorded_by=cast.user("vera").pk)]
    )[0]
    with pytest.raises(errors.OwnPayment):
        verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
    assert_untouched(payment)


def test_is_refused_to_the_owner_of_the_deal(cast: Cast) -> None:
    deal = an_open_deal(cast)
    payment = a_payment(cast, deal)
    assign_deals(actor=cast.system, deal_ids=[deal.pk], owner_id=cast.user("vera").pk)
    with pytest.raises(errors.OwnPayment):
        verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
    assert_untouched(payment)


def test_is_refused_to_the_owner_through_approvals_too(cast: Cast) -> None:
    deal = an_open_deal(cast)
    payment = a_payment(cast, deal)
    assign_deals(actor=cast.system, deal_ids=[deal.pk], owner_id=cast.user("vera").pk)
    approval = Approval.objects.get(subject_id=payment.pk)
    with pytest.raises(Forbidden):
        sign(approval_id=approval.pk, actor=cast.actor("vera"))
    assert_untouched(payment)


def test_has_the_same_effect_through_approvals(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
    payment = a_payment(cast, deal, kes("10.00"))
    approval = Approval.objects.get(subject_id=payment.pk)
    sign(approval_id=approval.pk, actor=cast.actor("vera"), comment="seen on the statement")
    payment.refresh_from_db()
    assert (payment.state, payment.allocated) == ("verified", kes("10.00"))
    assert payment.remarks == "seen on the statement"


@pytest.mark.parametrize("name", ["lea", "sam", "ada"])
def test_is_refused_to_those_who_are_no_verifiers(cast: Cast, name: str) -> None:
    payment = a_payment(cast, an_open_deal(cast))
    with pytest.raises(Forbidden, match="verify_payment"):
        verify_payment(actor=cast.actor(name), payment_id=payment.pk)
    assert_untouched(payment)


def test_does_not_know_the_payment_of_another_team(cast: Cast) -> None:
    payment = a_payment(cast, an_open_deal(cast))
    with pytest.raises(NotFound):
        verify_payment(actor=cast.actor("oscar"), payment_id=payment.pk)


def test_happens_once(cast: Cast) -> None:
    payment = a_verified_payment(cast, an_open_deal(cast))
    with pytest.raises(errors.PaymentAlreadyDecided):
        verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
    assert Transfer.objects.filter(source_id=payment.pk).count() == 1


def test_refuses_another_version_than_was_looked_at(cast: Cast) -> None:
    payment = a_payment(cast, an_open_deal(cast))
    amend_payment(
        actor=cast.actor("olga"), payment_id=payment.pk, changes={"amount": kes("9000.00")}
    )
    with pytest.raises(PreconditionFailed):
        verify_payment(
            actor=cast.actor("vera"), payment_id=payment.pk, expected_version=payment.version
        )


def test_refuses_content_that_changed_behind_the_services(cast: Cast) -> None:
    payment = a_payment(cast, an_open_deal(cast))
    Payment.objects.filter(pk=payment.pk).update(amount_minor=999_900)
    with pytest.raises(ContentChanged, match="amount"):
        verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
    assert not Transfer.objects.filter(source_id=payment.pk).exists()


def test_verifies_all_of_a_batch_or_none(cast: Cast) -> None:
    deal = an_open_deal(cast)
    good, done = a_payment(cast, deal), a_verified_payment(cast, deal)
    with pytest.raises(errors.PaymentAlreadyDecided):
        verify_payments(
            actor=cast.actor("vera"),
            verifications=[Verification(payment_id=good.pk), Verification(payment_id=done.pk)],
        )
    assert_untouched(good)


def test_costs_the_same_statements_for_one_and_for_fifty(cast: Cast) -> None:
    # The first one opens the accounts of its method and of its salesperson.
    a_verified_payment(cast, a_won_deal(cast, closed_on=date(2026, 3, 1)))
    counts = []
    for size in (1, 50):
        deals = [a_won_deal(cast, closed_on=date(2026, 3, 1)) for _ in range(min(size, 5))]
        payments = record_payments(
            actor=cast.actor("olga"),
            payments=[
                new_payment(deals[n % len(deals)], kes(f"{n + 1}.00"), paid_on=date(2026, 3, 1))
                for n in range(size)
            ],
        )
        with CaptureQueriesContext(connection) as captured:
            verify_payments(
                actor=cast.actor("vera"),
                verifications=[Verification(payment_id=row.pk) for row in payments],
            )
        counts.append(len(captured))
    assert counts[0] == counts[1]


def assert_untouched(payment: Payment) -> None:
    payment.refresh_from_db()
    assert payment.state == "pending"
    assert Approval.objects.get(subject_id=payment.pk, state="pending")
    assert not Transfer.objects.filter(source_id=payment.pk).exists()
