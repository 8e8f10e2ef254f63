"""A client's limit, when an invoice is issued ..."""

from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from tenant_apps.deals.models import Deal, StageChange
from tenant_apps.deals.services import DealWin, record_deals, win_deals
from tenant_apps.invoices.models import Invoice, InvoiceCounter
from tenant_apps.ledger.chart import RULES
from tenant_apps.ledger.models import CreditLineEntry, Transfer
from tenant_apps.ledger.services import (
    JournalLine,
    OpeningLine,
    post_manual_journal,
    post_opening_balances,
    reverse_journal,
)
from tenant_apps.ledger.verification import verify
from tenant_apps.limits.errors import CreditLimitExceeded
from tenant_apps.limits.models import Overrun
from tests.cast import Cast, connection
from tests.deals.stories import a_client, a_deal, kes, new_deal
from tests.limits.stories import a_limit, a_limited_client, used, win
from tests.payments.stories import a_payment, a_verified_payment
from tests.storms import assert_rollup_is_recount

DAY = date(2026, 3, 9)


def standing() -> tuple[int, ...]:
    """What a refusal leaves as it was."""
    rows = (Invoice, InvoiceCounter, StageChange, Transfer, AuditEntry, CreditLineEntry, Overrun)
    return (*(model.objects.count() for model in rows), Deal.objects.won().count())


def test_is_used_by_the_invoice_with_its_tax(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00")
    win(cast, client, "400.00")
    win(cast, client, "600.00")

    assert used(client) == kes("1000.00")
    invoice = Invoice.objects.earliest("id")
    entry = CreditLineEntry.objects.of_source(invoice.pk).get()
    assert (entry.used_change, entry.effective_on) == (40000, invoice.issued_on)
    assert not Overrun.objects.exists()


def test_refuses_to_the_cent_and_changes_nothing(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00")
    win(cast, client, "400.00")
    deal = a_deal(cast, client_id=client.pk, value=kes("600.01"))
    before = standing()

    with pytest.raises(CreditLimitExceeded) as refused, transaction.atomic():
        win(cast, client, "", deal=deal)

    assert standing() == before
    assert used(client) == kes("400.00")
    told = refused.value.extra
    assert {name: told[name]["amount"] for name in told if name != "client"} == {
        "limit": "1000.00", "used": "400.00", "held": "0.00", "available": "600.00",
        "wanted": "600.01", "above": "0.01",
    }  # fmt: skip
    assert "ask for an override" in refused.value.detail
    assert_rollup_is_recount()


def test_refuses_a_batch_of_which_one_goes_above(cast: Cast) -> None:
    client, other = a_limited_client(cast, "1000.00"), a_client(cast)
    deals = record_deals(
        actor=cast.system,
        deals=[
            new_deal(cast, client_id=one.pk, value=kes("600.00")) for one in (client, other, client)
        ],
    )
    before = standing()

    with pytest.raises(CreditLimitExceeded), transaction.atomic():
        win_deals(actor=cast.system, wins=[DealWin(deal_id=deal.pk) for deal in deals])

    assert standing() == before
    assert used(client) == kes("0.00")


def test_only_warns_where_it_only_warns(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00", "warn")
    deal = win(cast, client, "150.00")

    overrun = Overrun.objects.get()
    assert (overrun.cause, overrun.deal_id, overrun.limit, overrun.used) == (
        "warned", deal.pk, kes("100.00"), kes("150.00"),
    )  # fmt: skip
    entry = AuditEntry.objects.get(event_name="limits.credit_limit_passed")
    assert (entry.payload["cause"], entry.payload["used_minor"]) == ("warned", 15000)
    win(cast, client, "1.00")
    assert Overrun.objects.count() == 2
    assert used(client) == kes("151.00")


def test_lets_an_import_pass_and_records_it(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    deal = a_deal(cast, client_id=client.pk, value=kes("150.00"))
    win_deals(
        actor=cast.system, wins=[DealWin(deal_id=deal.pk)], credit_bypass_reason="From the old book"
    )

    overrun = Overrun.objects.get()
    assert (overrun.cause, overrun.reason) == ("bypassed", "From the old book")
    won = AuditEntry.objects.get(event_name="deals.deal_won")
    assert won.payload["credit_bypass_reason"] == "From the old book"
    assert used(client) == kes("150.00")


def test_is_given_back_by_what_is_allocated(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00")
    deal = win(cast, client, "1000.00")
    a_verified_payment(cast, deal, kes("300.00"))
    assert used(client) == kes("700.00")

    a_verified_payment(cast, deal, kes("900.00"))

    # The rest is an over-payment: the client's own money, but no credit.
    assert used(client) == kes("0.00")
    with pytest.raises(CreditLimitExceeded), transaction.atomic():
        win(cast, client, "1000.01")


def test_is_not_needed_for_what_was_paid_before(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    deal = a_deal(cast, client_id=client.pk, value=kes("1000.00"))
    a_verified_payment(cast, deal, kes("900.00"))
    a_payment(cast, deal, kes("50.00"))

    win(cast, client, "", deal=deal)

    assert used(client) == kes("100.00")
    assert not Overrun.objects.exists()
    with pytest.raises(CreditLimitExceeded), transaction.atomic():
        win(cast, client, "0.01")
    assert verify().books_hold


def test_counts_only_money_that_is_verified(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    deal = a_deal(cast, client_id=client.pk, value=kes("1000.00"))
    a_payment(cast, deal, kes("900.00"))

    with pytest.raises(CreditLimitExceeded), transaction.atomic():
        win(cast, client, "", deal=deal)
    assert used(client) == kes("0.00")


def test_of_what_was_paid_before_a_batch_uses_each_once(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    paid = a_deal(cast, client_id=client.pk, value=kes("1000.00"))
    a_verified_payment(cast, paid, kes("1000.00"))
    second = a_deal(cast, client_id=client.pk, value=kes("100.00"))
    wins = [DealWin(deal_id=paid.pk), DealWin(deal_id=second.pk)]
    win_deals(actor=cast.system, wins=wins)
    assert used(client) == kes("100.00")

    third = a_deal(cast, client_id=client.pk, value=kes("0.01"))
    with pytest.raises(CreditLimitExceeded), transaction.atomic():
        win_deals(actor=cast.system, wins=[DealWin(deal_id=third.pk)])


def journal(cast: Cast, client: Any, amount: str, *, side: str = "debit") -> Any:
    other = "credit" if side == "debit" else "debit"
    return post_manual_journal(
        actor=cast.actor("ada"),
        lines=[
            JournalLine(account_code="1200", side=side, amount=kes(amount), subledger_id=client.pk),
            JournalLine(account_code="4900", side=other, amount=kes(amount)),
        ],
        effective_on=DAY,
        memo="By hand",
    )


def test_counts_what_is_booked_by_hand_and_refuses_none_of_it(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    booked = journal(cast, client, "150.00")

    assert used(client) == kes("150.00")
    assert Overrun.objects.get().cause == "booked"
    reverse_journal(actor=cast.actor("ada"), journal_id=booked.id, effective_on=DAY)
    assert used(client) == kes("0.00")
    lines = [OpeningLine(account_code="1200", amount=kes("20.00"), subledger_id=client.pk)]
    post_opening_balances(actor=cast.actor("ada"), lines=lines, effective_on=DAY)
    assert used(client) == kes("20.00")


def test_a_client_that_is_owed_something_uses_nothing(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    journal(cast, client, "30.00", side="credit")
    assert CreditLineEntry.objects.exclude(kind="limit").count() == 0

    # Its own 30.00 first, then the limit.
    win(cast, client, "130.00")

    with pytest.raises(CreditLimitExceeded), transaction.atomic():
        win(cast, client, "0.01")
    entry = CreditLineEntry.objects.get(kind="use")
    assert entry.used_change == 10000


def test_costs_one_statement_where_nobody_set_a_limit(cast: Cast) -> None:
    deals = record_deals(
        actor=cast.system,
        deals=[new_deal(cast, client_id=a_client(cast).pk) for _ in range(20)],
    )
    with CaptureQueriesContext(connection) as captured:
        win_deals(actor=cast.system, wins=[DealWin(deal_id=deal.pk) for deal in deals])
    assert sum("limits_" in query["sql"] for query in captured.captured_queries) == 1
    assert not any(
        "credit" in query["sql"].replace("limits_credit", "")
        for query in captured.captured_queries
        if "ledger_credit" in query["sql"]
    )


@pytest.mark.parametrize("mode", ["refuse", "warn"])
def test_a_batch_costs_as_many_statements_as_one(cast: Cast, mode: str) -> None:
    counts = []
    for number in (1, 20):
        clients = [a_client(cast) for _ in range(number)]
        for client in clients:
            a_limit(cast, client, "1300.00" if mode == "refuse" else "10.00", mode)
        deals = record_deals(
            actor=cast.system, deals=[new_deal(cast, client_id=client.pk) for client in clients]
        )
        with CaptureQueriesContext(connection) as captured:
            win_deals(actor=cast.system, wins=[DealWin(deal_id=deal.pk) for deal in deals])
        counts.append(
            [query["sql"] for query in captured.captured_queries
             if "limits_" in query["sql"] or "ledger_c" in query["sql"]]
        )  # fmt: skip
    assert len(counts[0]) == len(counts[1]), (counts[0], counts[1])


def test_every_rule_that_moves_receivables_is_counted() -> None:
    """A rule that is added here needs a call of `count_receivables` beside its posting."""
    moving = {
        rule.code for rule in RULES for line in rule.lines if "1200" in (line.debit, line.credit)
    }
    assert moving == {"invoice.issued", "payment.allocated"}
