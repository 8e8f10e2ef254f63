"""Money of one currency becomes money of another, and each currency stays even in itself."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import transaction

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import Money
from tenant_apps.ledger.errors import SameCurrency, UnknownPostingRule
from tenant_apps.ledger.models import Account, Transfer
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import exchange_currency, reverse_journal
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import kes

pytestmark = pytest.mark.usefixtures("tenant")

DAY = date(2026, 11, 2)
Read = Callable[..., str]


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def exchange(actor: Actor, **values: Any) -> Any:
    given: dict[str, Any] = {
        "from_account": "1010",
        "to_account": "1000",
        "sold": usd("100.00"),
        "bought": kes("12900.00"),
        "effective_on": DAY,
        **values,
    }
    return exchange_currency(actor=actor, **given)


def test_dollars_become_shillings(actor: Actor, balance: Read) -> None:
    journal = exchange(actor, fee=usd("1.50"), memo="At the bank")
    assert balance("1010", currency="USD") == "-101.50"
    assert balance("1000", currency="KES") == "12900.00"
    assert balance("1900", currency="USD") == "100.00"
    assert balance("1900", currency="KES") == "-12900.00"
    assert balance("5100", currency="USD") == "1.50"
    assert all(total.difference.is_zero for total in trial_balance().totals)
    assert verify().books_hold
    assert {row.rule for row in Transfer.objects.of_journal(journal.id)} == {"currency.exchanged"}


def test_it_is_undone_as_a_journal_is(actor: Actor, balance: Read) -> None:
    journal = exchange(actor, fee=usd("1.50"))
    reverse_journal(actor=actor, journal_id=journal.id, effective_on=DAY)
    for code in ("1010", "1000", "1900", "5100"):
        assert {balance(code, currency=currency) for currency in ("USD", "KES")} == {"0.00"}


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"bought": usd("1.00")}, SameCurrency),
        ({"sold": usd("0.00")}, BadInput),
        ({"bought": kes("-1.00")}, BadInput),
        ({"fee": usd("0.00")}, BadInput),
        ({"fee": kes("1.00")}, BadInput),
        ({"from_account": "9999"}, BadInput),
        ({"to_account": "1900"}, BadInput),
        ({"from_account": "1200"}, BadInput),
    ],
)
def test_refuses_what_is_no_exchange(
    actor: Actor, wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal), transaction.atomic():
        exchange(actor, **wrong)
    assert not Transfer.objects.exists()


def test_a_fee_is_not_paid_from_the_charges_themselves(actor: Actor) -> None:
    with pytest.raises(BadInput), transaction.atomic():
        exchange(actor, from_account="5100", fee=usd("1.00"))
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(("code", "fee"), [("1900", None), ("5100", usd("1.00"))])
def test_an_account_that_means_something_else_is_not_posted_to(
    actor: Actor, code: str, fee: Money | None
) -> None:
    Account.objects.chart().filter(code=code).update(kind="equity")
    with pytest.raises(UnknownPostingRule) as refused, transaction.atomic():
        exchange(actor, fee=fee)
    assert refused.value.extra == {"rule": "currency.exchanged", "account": code}
    assert not Transfer.objects.exists()
