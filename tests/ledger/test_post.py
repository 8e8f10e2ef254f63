"""Postings read as in a textbook: what happens, and what the accounts hold afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from tenant_apps.ledger.errors import (
    AccountOnBothSides,
    AmountsDoNotFitRule,
    BelowFloor,
    NegativeAmount,
    PostingMismatch,
    UnknownPostingRule,
)
from tenant_apps.ledger.models import Account, Balance, PostingRule, PostingRuleLine, Transfer
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import post
from tests.ledger.conftest import kes, posting

pytestmark = pytest.mark.usefixtures("tenant")

Read = Callable[..., str]


def test_a_sale_on_credit_then_its_payment(actor: Actor, balance: Read) -> None:
    """Sell 1,000.00 plus 160.00 tax on credit; 1,160.00 come in by bank and settle the invoice."""
    customer, seller = uuid4(), uuid4()

    post(
        postings=[posting("invoice.issued", net="1000.00", tax="160.00", party=customer)],
        actor=actor,
    )
    assert balance("1200", customer) == "1160.00"
    assert balance("4000") == "1000.00"
    assert balance("2100") == "160.00"

    post(
        postings=[
            posting("payment.received.bank_transfer", amount="1160.00", party=customer),
            posting("payment.allocated", amount="1160.00", party=customer),
            posting("commission.accrued", amount="50.00", user=seller),
        ],
        actor=actor,
    )
    assert balance("1010") == "1160.00"
    assert balance("2000", customer) == "0.00"
    assert balance("1200", customer) == "0.00"
    assert balance("5000") == "50.00"
    assert balance("2200", seller) == "50.00"

    books = trial_balance()
    assert [(row.code, row.debit.to_string(), row.credit.to_string()) for row in books.rows] == [
        ("1010", "1160.00", "0.00"),
        ("2100", "0.00", "160.00"),
        ("2200", "0.00", "50.00"),
        ("4000", "0.00", "1000.00"),
        ("5000", "50.00", "0.00"),
    ]
    assert [total.difference.to_string() for total in books.totals] == ["0.00"]


def test_a_transfer_keeps_versions_and_resulting_balances(actor: Actor) -> None:
    customer = uuid4()
    first, second = post(
        postings=[
            posting("payment.received.cash", amount="70.00", party=customer),
            posting("payment.received.cash", amount="30.00", party=customer),
        ],
        actor=actor,
    )
    assert [leg.credit_balance for leg in (*first.legs, *second.legs)] == [7000, 10000]
    row = Transfer.objects.get(id=second.legs[0].transfer_id)
    assert (row.credit_version, row.credit_balance) == (2, 10000)
    assert (row.debit_version, row.debit_balance) == (2, 10000)


def test_one_posting_alone_keeps_them_too(actor: Actor) -> None:
    customer = uuid4()
    for expected in (1, 2, 3):
        (journal,) = post(
            postings=[posting("payment.received.cash", amount="10.00", party=customer)],
            actor=actor,
        )
        row = Transfer.objects.get(journal_id=journal.id)
        assert (row.credit_version, row.credit_balance) == (expected, expected * 1000)


def test_a_zero_amount_gives_no_transfer(actor: Actor) -> None:
    (journal,) = post(
        postings=[posting("invoice.issued", net="10.00", tax="0.00", party=uuid4())], actor=actor
    )
    assert [leg.amount for leg in journal.legs] == [kes("10.00")]


def test_currencies_stay_apart(actor: Actor, balance: Read) -> None:
    customer = uuid4()
    dollars, yen = Money.parse("5.00", "USD"), Money.parse("700", "JPY")
    post(
        postings=[
            posting("payment.received.card", amount=dollars, party=customer),
            posting("payment.received.card", amount=yen, party=customer),
        ],
        actor=actor,
    )
    assert balance("1040", currency="USD") == "5.00"
    assert balance("1040", currency="JPY") == "700"
    assert [total.currency for total in trial_balance().totals] == ["JPY", "USD"]


@pytest.mark.parametrize("others", [0, 2])
def test_the_same_posting_again_answers_what_stands(
    actor: Actor, balance: Read, others: int
) -> None:
    customer = uuid4()
    again = posting("payment.received.cash", amount="25.00", party=customer)
    (first,) = post(postings=[again], actor=actor)
    fresh = [posting("payment.received.cash", amount="1.00", party=customer) for _ in range(others)]
    answers = post(postings=[again, *fresh, again], actor=actor)
    assert answers[0].legs == first.legs
    assert [answer.replayed for answer in answers] == [True, *[False] * others, True]
    assert balance("2000", customer) == f"{25 + others}.00"


@pytest.mark.parametrize("alone", [True, False])
def test_refuses_other_content_for_the_same_source(
    actor: Actor, balance: Read, alone: bool
) -> None:
    customer, source = uuid4(), uuid4()
    first = posting("payment.received.cash", amount="25.00", party=customer, source=source)
    other = posting("payment.received.cash", amount="26.00", party=customer, source=source)
    post(postings=[first], actor=actor)
    beside = [] if alone else [posting("payment.received.cash", amount="1.00", party=customer)]
    with pytest.raises(PostingMismatch), transaction.atomic():
        post(postings=[*beside, other], actor=actor)
    with pytest.raises(PostingMismatch), transaction.atomic():
        post(postings=[first, other], actor=actor)
    assert balance("2000", customer) == "25.00"


def test_refuses_a_leg_that_the_first_posting_did_not_have(actor: Actor) -> None:
    customer, source = uuid4(), uuid4()
    first = posting("invoice.issued", net="10.00", tax="0.00", party=customer, source=source)
    more = posting("invoice.issued", net="10.00", tax="1.60", party=customer, source=source)
    post(postings=[first], actor=actor)
    with pytest.raises(PostingMismatch), transaction.atomic():
        post(postings=[more], actor=actor)
    assert Transfer.objects.filter(source_id=source).count() == 1


@pytest.mark.parametrize("alone", [True, False])
def test_a_deposit_is_not_overdrawn(actor: Actor, balance: Read, alone: bool) -> None:
    customer = uuid4()
    post(
        postings=[
            posting("invoice.issued", net="500.00", tax="0.00", party=customer),
            posting("payment.received.cash", amount="100.00", party=customer),
        ],
        actor=actor,
    )
    too_much = [posting("payment.allocated", amount="100.01", party=customer)]
    if not alone:
        too_much = [
            posting("payment.allocated", amount="60.00", party=customer),
            posting("payment.allocated", amount="40.01", party=customer),
            # What comes in later does not excuse what went out before.
            posting("payment.received.cash", amount="900.00", party=customer),
        ]
    with pytest.raises(BelowFloor), transaction.atomic():
        post(postings=too_much, actor=actor)
    assert balance("2000", customer) == "100.00"
    assert balance("1200", customer) == "500.00"


def test_refuses_what_does_not_fit_the_rule(actor: Actor) -> None:
    with pytest.raises(UnknownPostingRule):
        post(postings=[posting("no.such.rule", amount="1.00")], actor=actor)
    with pytest.raises(AmountsDoNotFitRule):
        post(postings=[posting("invoice.issued", net="1.00", party=uuid4())], actor=actor)
    with pytest.raises(AmountsDoNotFitRule):
        post(postings=[posting("payment.received.cash", amount="1.00")], actor=actor)
    with pytest.raises(NegativeAmount):
        post(
            postings=[posting("payment.received.cash", amount="-1.00", party=uuid4())], actor=actor
        )
    assert not Transfer.objects.exists()


def test_money_goes_from_one_party_to_another_of_the_same_line(actor: Actor, balance: Read) -> None:
    line = Account.objects.chart().get(code="2000")
    rule = PostingRule.objects.create(code="tests.moved", name="Moved")
    PostingRuleLine.objects.create(
        rule=rule, position=1, amount_name="amount", debit_account=line, credit_account=line
    )
    ada, bob = uuid4(), uuid4()
    post(postings=[posting("payment.received.cash", amount="10.00", party=ada)], actor=actor)
    moved = posting(
        "tests.moved",
        amount="4.00",
        debit_subledgers={"party": ada},
        credit_subledgers={"party": bob},
    )
    for _ in range(2):
        post(postings=[moved], actor=actor)
    assert (balance("2000", ada), balance("2000", bob)) == ("6.00", "4.00")
    with pytest.raises(PostingMismatch), transaction.atomic():
        post(postings=[replace(moved, credit_subledgers={"party": uuid4()})], actor=actor)
    with pytest.raises(AccountOnBothSides):
        post(postings=[posting("tests.moved", amount="1.00", party=ada)], actor=actor)
    assert (balance("2000", ada), balance("2000", bob)) == ("6.00", "4.00")


def test_a_batch_larger_than_one_call_is_one_posting(actor: Actor, balance: Read) -> None:
    customers = [uuid4() for _ in range(20)]
    many = [
        posting("invoice.issued", net="2.00", tax="1.00", party=customers[number % 20])
        for number in range(620)
    ]
    journals = post(postings=many, actor=actor)
    assert [len(journal.legs) for journal in journals] == [2] * 620
    assert balance("4000") == "1240.00"
    assert balance("1200", customers[0]) == "93.00"


def test_statements_do_not_grow_with_the_batch(
    actor: Actor, django_assert_num_queries: Any
) -> None:
    customers = [uuid4() for _ in range(50)]
    many = [posting("payment.received.cash", amount="2.00", party=one) for one in customers]
    assert not Transfer.objects.exists()  # the connection has switched to the organization
    # Rules, known accounts, hold the lines of the missing and open them, post.
    with django_assert_num_queries(5):
        post(postings=many, actor=actor)
    with django_assert_num_queries(3):
        post(
            postings=[posting("payment.received.cash", amount="2.00", party=customers[0])],
            actor=actor,
        )


def test_nobody_else_writes_balances_or_transfers(actor: Actor) -> None:
    customer = uuid4()
    post(postings=[posting("payment.received.cash", amount="1.00", party=customer)], actor=actor)
    day = date(2026, 11, 2)
    for statement in (
        "UPDATE ledger_balance SET posted = 5",
        "DELETE FROM ledger_balance",
        "INSERT INTO ledger_balance (account_id, stripe, posted, held, version, direction,"
        " currency, is_open) SELECT account_id, 1, 0, 0, 0, 1, 'KES', true FROM ledger_balance",
        "TRUNCATE ledger_balance",
        "UPDATE ledger_transfer SET amount_minor = 5",
        "DELETE FROM ledger_transfer",
        "TRUNCATE ledger_transfer",
        "INSERT INTO ledger_transfer SELECT * FROM ledger_transfer",
    ):
        with (
            pytest.raises(DatabaseError, match="denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert Balance.objects.count() == 2
    assert Transfer.objects.get().effective_on == day


@pytest.mark.parametrize("tax", ["160.00", "0.00"])
def test_refuses_other_legs_for_the_same_source(actor: Actor, tax: str) -> None:
    """Only the net amount first, then only the tax, or nothing: they have no line in common."""
    sale = posting("invoice.issued", net="1000.00", tax="0.00", party=uuid4())
    post(postings=[sale], actor=actor)
    other = replace(sale, amounts={"net": kes("0.00"), "tax": kes(tax)})
    with pytest.raises(PostingMismatch), transaction.atomic():
        post(postings=[other], actor=actor)
    assert Transfer.objects.count() == 1
