"""What was posted is undone by its opposite, once, and never by changing it."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from django.db import transaction

from shared_apps.kernel.actor import Actor
from tenant_apps.ledger.errors import (
    AlreadyReversed,
    BelowFloor,
    NothingToReverse,
    ReversalOfReversal,
)
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.services import Posting, Reversal, post, reverse
from tests.ledger.conftest import posting

pytestmark = pytest.mark.usefixtures("tenant")

Read = Callable[..., str]
LATER = date(2026, 11, 9)


def undo(posted: Posting, rule: str = "") -> Reversal:
    return Reversal(
        source_type=posted.source_type,
        source_id=posted.source_id,
        rule=rule,
        effective_on=LATER,
        memo="issued by mistake",
    )


def test_an_invoice_is_taken_back(actor: Actor, balance: Read) -> None:
    customer = uuid4()
    sale = posting("invoice.issued", net="100.00", tax="16.00", party=customer)
    (journal,) = post(postings=[sale], actor=actor)

    (back,) = reverse(reversals=[undo(sale)], actor=actor)

    assert balance("1200", customer) == balance("4000") == balance("2100") == "0.00"
    assert [leg.amount for leg in back.legs] == [leg.amount for leg in reversed(journal.legs)]
    rows = Transfer.objects.of_journal(back.id)
    assert {row.reverses_id for row in rows} == {leg.transfer_id for leg in journal.legs}
    assert {(row.kind, row.effective_on, row.memo) for row in rows} == {
        ("reversal", LATER, "issued by mistake")
    }


def test_it_is_taken_back_once(actor: Actor, balance: Read) -> None:
    sale = posting("invoice.issued", net="100.00", tax="0.00", party=uuid4())
    (journal,) = post(postings=[sale], actor=actor)
    with pytest.raises(AlreadyReversed), transaction.atomic():
        reverse(reversals=[undo(sale), undo(sale)], actor=actor)
    (back,) = reverse(reversals=[undo(sale)], actor=actor)
    for again in (undo(sale), Reversal(journal_id=journal.id, effective_on=LATER)):
        with pytest.raises(AlreadyReversed), transaction.atomic():
            reverse(reversals=[again], actor=actor)
    with pytest.raises(ReversalOfReversal), transaction.atomic():
        reverse(reversals=[Reversal(journal_id=back.id, effective_on=LATER)], actor=actor)
    assert balance("4000") == "0.00"


def test_all_journals_of_a_source_or_those_of_one_rule(actor: Actor, balance: Read) -> None:
    customer, source = uuid4(), uuid4()
    received = posting("payment.received.cash", amount="50.00", party=customer, source=source)
    allocated = posting("payment.allocated", amount="50.00", party=customer, source=source)
    post(postings=[received, allocated], actor=actor)

    reverse(reversals=[undo(allocated, rule="payment.allocated")], actor=actor)
    assert (balance("2000", customer), balance("1200", customer)) == ("50.00", "0.00")
    reverse(reversals=[undo(received, rule="payment.received.cash")], actor=actor)
    assert (balance("2000", customer), balance("1000")) == ("0.00", "0.00")


def test_what_has_been_used_is_not_taken_back(actor: Actor, balance: Read) -> None:
    customer = uuid4()
    received = posting("payment.received.cash", amount="50.00", party=customer)
    allocated = posting("payment.allocated", amount="50.00", party=customer)
    post(postings=[received, allocated], actor=actor)
    with pytest.raises(BelowFloor), transaction.atomic():
        reverse(reversals=[undo(received)], actor=actor)
    assert balance("1000") == "50.00"
    reverse(reversals=[undo(allocated), undo(received)], actor=actor)
    assert balance("1000") == balance("2000", customer) == "0.00"


def test_nothing_was_posted(actor: Actor) -> None:
    for nothing in (
        Reversal(journal_id=uuid4(), effective_on=LATER),
        Reversal(source_type="tests.document", source_id=uuid4(), effective_on=LATER),
        Reversal(effective_on=LATER),
    ):
        with pytest.raises(NothingToReverse):
            reverse(reversals=[nothing], actor=actor)
