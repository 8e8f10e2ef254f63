"""Entries by hand: even in each currency, one row per debit-credit pair, undone once."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput, Forbidden
from shared_apps.kernel.money import Money
from tenant_apps.ledger.errors import (
    AccountOnBothSides,
    AlreadyReversed,
    BelowFloor,
    JournalHasSource,
    NothingToReverse,
    ReversalTooEarly,
    UnevenJournal,
)
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import (
    JournalLine,
    OpeningLine,
    post,
    post_manual_journal,
    post_opening_balances,
    reverse_journal,
)
from tenant_apps.parties.selectors import own_party
from tests.ledger.conftest import kes, posting

pytestmark = pytest.mark.usefixtures("tenant")

Read = Callable[..., str]
DAY = date(2026, 11, 5)


def line(
    code: str, side: str, amount: str | Money, subledger_id: UUID | None = None
) -> JournalLine:
    money = kes(amount) if isinstance(amount, str) else amount
    return JournalLine(account_code=code, side=side, amount=money, subledger_id=subledger_id)


def manual(actor: Actor, *lines: JournalLine) -> Any:
    return post_manual_journal(actor=actor, lines=lines, effective_on=DAY, memo="Rent of November")


def rows(journal_id: UUID) -> list[tuple[str, str, str]]:
    return [
        (row.debit_account.code, row.credit_account.code, row.amount.to_string())
        for row in Transfer.objects.of_journal(journal_id).select_related(
            "debit_account", "credit_account"
        )
    ]


def test_rent_and_charges_paid_from_bank_and_cash(actor: Actor, balance: Read) -> None:
    journal = manual(
        actor,
        line("5200", "debit", "800.00"),
        line("5100", "debit", "50.00"),
        line("1010", "credit", "600.00"),
        line("1000", "credit", "250.00"),
    )
    assert rows(journal.id) == [
        ("5200", "1010", "600.00"),
        ("5200", "1000", "200.00"),
        ("5100", "1000", "50.00"),
    ]
    assert [balance(code) for code in ("5200", "5100", "1010", "1000")] == [
        "800.00", "50.00", "-600.00", "-250.00",
    ]  # fmt: skip
    entry = AuditEntry.objects.get(event_name="ledger.manual_journal_posted")
    assert entry.subject_id == journal.id


def test_currencies_are_even_each_for_itself(actor: Actor) -> None:
    dollars = Money.parse("10.00", "USD")
    journal = manual(
        actor,
        line("1010", "debit", dollars),
        line("1010", "debit", "5.00"),
        line("3100", "credit", dollars),
        line("3100", "credit", "5.00"),
    )
    assert {leg.amount.to_string() for leg in journal.legs} == {"10.00", "5.00"}
    with pytest.raises(UnevenJournal):
        manual(actor, line("1010", "debit", dollars), line("3100", "credit", "10.00"))


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([("5200", "debit", "1.00"), ("1010", "credit", "1.01")], UnevenJournal),
        ([("5200", "debit", "1.00")], UnevenJournal),
        ([("1010", "debit", "1.00"), ("1010", "credit", "1.00")], AccountOnBothSides),
        ([("9999", "debit", "1.00"), ("1010", "credit", "1.00")], BadInput),
        ([("5200", "debit", "0.00"), ("1010", "credit", "0.00")], BadInput),
        ([("5200", "debit", "-1.00"), ("1010", "credit", "-1.00")], BadInput),
        ([("1200", "debit", "1.00"), ("1010", "credit", "1.00")], BadInput),
        ([], BadInput),
    ],
)
def test_refuses_uneven_or_senseless_lines(
    actor: Actor, lines: list[tuple[str, str, str]], error: type[Exception]
) -> None:
    with pytest.raises(error):
        manual(actor, *(line(*one) for one in lines))
    assert not Transfer.objects.exists()


def test_every_wrong_line_is_named(actor: Actor) -> None:
    with pytest.raises(BadInput) as refusal:
        manual(
            actor,
            line("9999", "debit", "1.00"),
            line("1010", "credit", "1.00", uuid4()),
            line("2200", "credit", "1.00", uuid4()),
        )
    assert [error.pointer for error in refusal.value.errors] == [
        "/lines/0/account_code",
        "/lines/1/subledger_id",
        "/lines/2/subledger_id",
    ]


def test_sub_accounts_of_known_people_only(actor: Actor, balance: Read) -> None:
    known, posted_before, stranger = own_party().id, uuid4(), uuid4()
    post(
        postings=[posting("payment.received.cash", amount="9.00", party=posted_before)],
        actor=actor,
    )
    for party in (known, posted_before):
        manual(actor, line("5300", "debit", "2.00"), line("2000", "credit", "2.00", party))
    assert (balance("2000", known), balance("2000", posted_before)) == ("2.00", "11.00")
    with pytest.raises(BadInput):
        manual(actor, line("5300", "debit", "2.00"), line("2000", "credit", "2.00", stranger))


def test_a_journal_keeps_to_floors(actor: Actor) -> None:
    customer = uuid4()
    post(postings=[posting("payment.received.cash", amount="9.00", party=customer)], actor=actor)
    with pytest.raises(BelowFloor), transaction.atomic():
        manual(actor, line("2000", "debit", "9.01", customer), line("4900", "credit", "9.01"))


def test_opening_balances_stand_against_equity(actor: Actor, balance: Read) -> None:
    customer = uuid4()
    post(postings=[posting("payment.received.cash", amount="1.00", party=customer)], actor=actor)
    lines = [
        OpeningLine(account_code="1010", amount=kes("500.00")),
        OpeningLine(account_code="1000", amount=kes("-20.00")),
        OpeningLine(account_code="2300", amount=kes("300.00")),
        OpeningLine(account_code="2000", amount=kes("30.00"), subledger_id=customer),
        OpeningLine(account_code="1010", amount=Money.parse("7.00", "USD")),
    ]
    journal = post_opening_balances(actor=actor, lines=lines, effective_on=DAY)
    assert [balance(code) for code in ("1010", "1000", "2300", "2000", "3000")] == [
        "500.00", "-19.00", "300.00", "31.00", "150.00",
    ]  # fmt: skip
    assert balance("3000", currency="USD") == "7.00"
    assert all(total.difference.is_zero for total in trial_balance().totals)
    reverse_journal(actor=actor, journal_id=journal.id, effective_on=DAY)
    assert (balance("3000"), balance("2000")) == ("0.00", "1.00")


def test_refuses_senseless_opening_balances(actor: Actor) -> None:
    for wrong in (
        [],
        [OpeningLine(account_code="1010", amount=kes("0.00"))],
        [OpeningLine(account_code="1200", amount=kes("5.00"))],
        [OpeningLine(account_code="none", amount=kes("5.00"))],
    ):
        with pytest.raises(BadInput):
            post_opening_balances(actor=actor, lines=wrong, effective_on=DAY)
    with pytest.raises(AccountOnBothSides):
        equity = OpeningLine(account_code="3000", amount=kes("5.00"))
        post_opening_balances(actor=actor, lines=[equity], effective_on=DAY)


def test_a_manual_journal_is_undone_once(actor: Actor, balance: Read) -> None:
    journal = manual(actor, line("5200", "debit", "8.00"), line("1010", "credit", "8.00"))
    back = reverse_journal(actor=actor, journal_id=journal.id, effective_on=DAY)
    assert rows(back.id) == [("1010", "5200", "8.00")]
    assert balance("5200") == "0.00"
    entry = AuditEntry.objects.get(event_name="ledger.journal_reversed")
    assert (entry.subject_id, entry.payload["reversal_id"]) == (journal.id, str(back.id))
    with pytest.raises(AlreadyReversed), transaction.atomic():
        reverse_journal(actor=actor, journal_id=journal.id, effective_on=DAY)


def test_a_journal_is_not_undone_before_it_took_effect(actor: Actor, balance: Read) -> None:
    journal = manual(actor, line("5200", "debit", "8.00"), line("1010", "credit", "8.00"))
    with pytest.raises(ReversalTooEarly), transaction.atomic():
        day = DAY - timedelta(days=1)
        reverse_journal(actor=actor, journal_id=journal.id, effective_on=day)
    assert balance("5200") == "8.00"


def test_a_document_is_not_undone_in_the_books(actor: Actor) -> None:
    (journal,) = post(
        postings=[posting("payment.received.cash", amount="9.00", party=uuid4())], actor=actor
    )
    with pytest.raises(JournalHasSource):
        reverse_journal(actor=actor, journal_id=journal.id, effective_on=DAY)
    with pytest.raises(NothingToReverse):
        reverse_journal(actor=actor, journal_id=uuid4(), effective_on=DAY)


def test_who_may_not_gets_nothing_done() -> None:
    nobody = Actor(request_id="test-nobody")
    with pytest.raises(Forbidden):
        manual(nobody, line("5200", "debit", "8.00"), line("1010", "credit", "8.00"))
    with pytest.raises(Forbidden):
        post_opening_balances(
            actor=nobody,
            lines=[OpeningLine(account_code="1010", amount=kes("1.00"))],
            effective_on=DAY,
        )
    assert not Transfer.objects.exists()
