"""Many hands on the same payments and invoices at the same moment, with real commits."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from django.db.utils import IntegrityError

from tenant_apps.commissions.models import Commission
from tenant_apps.deals.models import Deal
from tenant_apps.deals.services import DealWin, win_deals
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.selectors import balance_of, trial_balance
from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.payments.services import amend_payment, verify_payment
from tests.cast import Cast, assemble
from tests.payments.stories import (
    a_client,
    a_payment,
    a_verified_payment,
    a_won_deal,
    an_open_deal,
    kes,
)
from tests.storms import assert_rollup_is_recount, at_once

pytestmark = pytest.mark.slow


def verify(cast: Cast, payment: Payment, **values: Any) -> None:
    verify_payment(actor=cast.actor("vera"), payment_id=payment.pk, **values)


def win(cast: Cast, deal: Deal) -> None:
    wins = [DealWin(deal_id=deal.pk, closed_on=date(2026, 3, 12))]
    win_deals(actor=cast.actor("olga"), wins=wins)


@pytest.fixture
def storm_cast(real_commits: Any) -> Cast:
    return assemble()


def test_of_many_verifiers_at_once_one_has_effect(real_commits: Any, storm_cast: Cast) -> None:
    deal = a_won_deal(storm_cast, closed_on=date(2026, 3, 1))
    payment = a_payment(storm_cast, deal, kes("1000.00"))
    ends = at_once(
        real_commits,
        [partial(verify, storm_cast, payment) for _ in range(8)],
    )
    assert ends["done"] == 1
    assert ends["payment_already_decided"] + ends["approval_closed"] == 7
    assert Transfer.objects.filter(source_id=payment.pk).count() == 1
    assert Allocation.objects.filter(payment=payment).count() == 1
    assert Commission.objects.filter(payment=payment).count() == 1


def test_an_edit_racing_a_signature_never_verifies_what_was_not_seen(
    real_commits: Any, storm_cast: Cast
) -> None:
    deal = an_open_deal(storm_cast)
    for _ in range(8):
        payment = a_payment(storm_cast, deal, kes("10.00"))
        ends = at_once(
            real_commits,
            [
                partial(verify, storm_cast, payment, expected_version=payment.version),
                partial(
                    amend_payment,
                    actor=storm_cast.actor("olga"),
                    payment_id=payment.pk,
                    changes={"amount": kes("9999.00")},
                ),
            ],
        )
        assert ends["done"] == 1, ends
        payment.refresh_from_db()
        assert (payment.state, payment.amount) in [
            ("verified", kes("10.00")),
            ("pending", kes("9999.00")),
        ]


def test_verification_racing_the_invoice_never_leaves_money_behind(
    real_commits: Any, storm_cast: Cast
) -> None:
    for _ in range(10):
        deal = an_open_deal(storm_cast)
        payments = [a_payment(storm_cast, deal, kes("300.00")) for _ in range(3)]
        acts: list[Callable[[], Any]] = [
            partial(verify, storm_cast, payment) for payment in payments
        ]
        acts.append(partial(win, storm_cast, deal))
        random.shuffle(acts)
        assert at_once(real_commits, acts) == {"done": 4}
        invoice = deal.invoices.get()
        assert invoice.allocated == kes("900.00")
        assert not Payment.objects.with_money_left().filter(deal=deal).exists()
    assert all(total.difference.is_zero for total in trial_balance().totals)
    assert_rollup_is_recount()


def test_many_part_payments_never_over_pay_one_invoice(real_commits: Any, storm_cast: Cast) -> None:
    deal = a_won_deal(storm_cast, closed_on=date(2026, 3, 1), value=kes("1000.00"))
    total = deal.invoices.get().total
    payments = [a_payment(storm_cast, deal, kes("90.00")) for _ in range(16)]
    ends = at_once(
        real_commits,
        [partial(verify, storm_cast, payment) for payment in payments],
    )
    assert ends == {"done": 16}
    invoice = deal.invoices.get()
    assert (invoice.allocated, invoice.state) == (total, "paid")
    allocated = Allocation.objects.aggregate(total=Sum("amount_minor"))["total"]
    assert allocated == total.minor
    deposits = balance_of(account_code="2000", currency="KES", subledger_id=deal.client_id)
    assert deposits == kes("1440.00") - total
    parts = list(Allocation.objects.order_by("collected_before_minor"))
    ends_at = 0
    for part in parts:
        assert part.collected_before_minor == ends_at
        ends_at += part.amount_minor
    earned = Commission.objects.accrued().aggregate(total=Sum("amount_minor"))["total"]
    assert earned == invoice.net.multiply(5).minor // 100
    assert_rollup_is_recount()


def test_deals_of_one_client_won_and_paid_at_once(real_commits: Any, storm_cast: Cast) -> None:
    client = a_client(storm_cast)
    acts: list[Callable[[], Any]] = []
    for _ in range(6):
        deal = an_open_deal(storm_cast, client_id=client.pk)
        a_verified_payment(storm_cast, deal, kes("50.00"), method="card")
        waiting = a_payment(storm_cast, deal, kes("60.00"), method="cheque")
        acts.append(partial(win, storm_cast, deal))
        acts.append(partial(verify, storm_cast, waiting))
    ends = at_once(real_commits, acts)
    assert ends == {"done": 12}
    assert not Payment.objects.with_money_left().exists()
    assert all(total.difference.is_zero for total in trial_balance().totals)
    assert_rollup_is_recount()


def test_the_database_itself_refuses_to_use_more_than_was_paid(
    real_commits: Any, storm_cast: Cast
) -> None:
    deal = a_won_deal(storm_cast, closed_on=date(2026, 3, 1))
    payment = a_verified_payment(storm_cast, deal, kes("10.00"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(allocated_minor=1001)
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(allocated_minor=-1)
    invoice = deal.invoices.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        type(invoice).objects.filter(pk=invoice.pk).update(allocated_minor=invoice.total_minor + 1)
