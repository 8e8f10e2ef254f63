"""An account that everybody posts to spreads over several balances, and holds one sum."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput, DomainError
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.kernel.money import Money
from tenant_apps.ledger.entries import HoldRequest, JournalLine, Posting
from tenant_apps.ledger.errors import (
    AccountIsOneParty,
    BelowFloor,
    GatheringIsInternal,
    PeriodIsClosed,
    StripesOnlyGrow,
)
from tenant_apps.ledger.models import (
    Account,
    Balance,
    FiscalPeriod,
    StatementLine,
    Transfer,
    TransferKind,
)
from tenant_apps.ledger.selectors import balance_of, funds_of, trial_balance
from tenant_apps.ledger.services import (
    Reversal,
    add_account,
    close_account,
    close_period,
    post,
    post_manual_journal,
    release,
    reserve,
    reverse,
    stripe_account,
)
from tenant_apps.ledger.verification import verify
from tests.cast import Cast, cast
from tests.ledger.conftest import kes, posting

__all__ = ["cast"]

pytestmark = pytest.mark.usefixtures("tenant")


def chart(code: str) -> Account:
    account: Account = Account.objects.chart().get(code=code)
    return account


def striped(actor: Actor, code: str, stripes: int) -> Account:
    return stripe_account(actor=actor, account_id=chart(code).id, stripes=stripes)


def paid_in(amount: str = "1.00", **values: Any) -> Posting:
    return posting("payment.received.cash", amount=amount, party=uuid4(), **values)


@pytest.fixture
def cash_box(actor: Actor) -> Account:
    """Cash that may not fall below zero, in four stripes, each of which holds some."""
    Account.objects.chart().filter(code="1000").update(floor=0)
    line = striped(actor, "1000", 4)
    for _ in range(40):
        post(postings=[paid_in("10.00")], actor=actor)
    rows = Balance.objects.filter(account__parent=line)
    assert rows.filter(posted__gt=0).count() == 4
    return line


def taken(actor: Actor, amount: str) -> str:
    """Take from cash by a manual journal; "done" or the code of the refusal."""
    lines = [
        JournalLine(account_code="5200", side="debit", amount=kes(amount)),
        JournalLine(account_code="1000", side="credit", amount=kes(amount)),
    ]
    try:
        with transaction.atomic():
            post_manual_journal(
                actor=actor, lines=lines, effective_on=date(2026, 11, 5), memo="Rent"
            )
    except DomainError as refusal:
        return refusal.code
    return "done"


def hold() -> None:
    assert verify().findings == ()
    assert all(total.difference.is_zero for total in trial_balance().totals)


def test_postings_spread_over_the_stripes_and_the_sum_is_one(actor: Actor) -> None:
    post(postings=[paid_in("5.00")], actor=actor)
    line = striped(actor, "1000", 8)
    for _ in range(60):
        post(postings=[paid_in()], actor=actor)
    post(postings=[paid_in(), paid_in()], actor=actor)
    rows = Balance.objects.filter(account__parent=line)
    assert rows.count() == 8
    assert rows.filter(version__gt=0).count() > 4
    assert balance_of(account_code="1000", currency="KES") == kes("67.00")
    # An account that is opened later has as many.
    usd = {"amount": Money(100, "USD")}
    post(postings=[posting("payment.received.cash", party=uuid4(), **usd)], actor=actor)
    assert Balance.objects.filter(account__code="1000", currency="USD").count() == 8
    hold()


def test_a_repeated_posting_meets_what_was_posted_on_whichever_stripe(actor: Actor) -> None:
    striped(actor, "1000", 64)
    receipt = paid_in()
    (first,) = post(postings=[receipt], actor=actor)
    for _ in range(5):
        (again,) = post(postings=[receipt], actor=actor)
        assert again.replayed
        assert again.legs == first.legs
    assert balance_of(account_code="1000", currency="KES") == kes("1.00")
    hold()


def test_what_leaves_is_gathered_from_all_stripes(actor: Actor, cash_box: Account) -> None:
    assert taken(actor, "400.01") == "below_floor"
    assert not Transfer.objects.filter(kind=TransferKind.GATHERING).exists()
    assert taken(actor, "399.00") == "done"
    moved = Transfer.objects.filter(kind=TransferKind.GATHERING)
    assert 1 <= moved.count() <= 3
    assert all(one.debit_account_id == one.credit_account_id for one in moved)
    assert balance_of(account_code="1000", currency="KES") == kes("1.00")
    assert taken(actor, "1.00") == "done"
    assert taken(actor, "0.01") == "below_floor"
    hold()


def test_what_a_batch_brings_itself_counts_for_what_leaves(actor: Actor, cash_box: Account) -> None:
    """All stripes together have less than what leaves: the rest comes in the same journal."""
    lines = [
        JournalLine(account_code="5200", side="debit", amount=kes("450.00")),
        JournalLine(account_code="1000", side="credit", amount=kes("450.00")),
    ]
    receipt = paid_in("60.00")
    with transaction.atomic():
        post(postings=[receipt], actor=actor)
        post_manual_journal(actor=actor, lines=lines, effective_on=date(2026, 11, 5), memo="-")
    assert balance_of(account_code="1000", currency="KES") == kes("10.00")
    hold()


def test_what_is_repeated_gathers_nothing(actor: Actor, cash_box: Account) -> None:
    day = date(2026, 10, 15)
    taken_before = posting("payment.received.cash", amount="1.00", party=uuid4(), day=day)
    post(postings=[taken_before], actor=actor)
    asked = Reversal(
        source_type=taken_before.source_type, source_id=taken_before.source_id, effective_on=day
    )
    reverse(reversals=[asked], actor=actor)
    close_period(actor=actor, period_id=FiscalPeriod.objects.get(starts_on="2026-10-01").id)
    count = Transfer.objects.count()
    with pytest.raises(DomainError), transaction.atomic():
        reverse(reversals=[asked], actor=actor)
    assert Transfer.objects.count() == count
    hold()


def test_nothing_is_gathered_in_a_closed_period(actor: Actor, cash_box: Account) -> None:
    close_period(actor=actor, period_id=FiscalPeriod.objects.get(starts_on="2026-10-01").id)
    lines = [
        JournalLine(account_code="5200", side="debit", amount=kes("399.00")),
        JournalLine(account_code="1000", side="credit", amount=kes("399.00")),
    ]
    with pytest.raises(PeriodIsClosed), transaction.atomic():
        post_manual_journal(actor=actor, lines=lines, effective_on=date(2026, 10, 5), memo="-")
    assert not Transfer.objects.filter(kind=TransferKind.GATHERING).exists()


def test_a_gathering_is_not_reversed(actor: Actor, cash_box: Account, cast: Cast) -> None:
    assert taken(actor, "399.00") == "done"
    moved = Transfer.objects.filter(kind=TransferKind.GATHERING)[0]
    answer = cast.api("ada").post(
        f"ledger/journals/{moved.journal_id}/reversal/", {"effective_on": "2026-11-06"}
    )
    assert answer.status_code in (409, 422), answer.json()
    assert answer.json()["code"] in ("gathering_is_internal", "journal_has_source")
    with pytest.raises(GatheringIsInternal), transaction.atomic():
        reverse(
            reversals=[Reversal(journal_id=moved.journal_id, effective_on=date(2026, 11, 6))],
            actor=actor,
        )
    hold()


def test_several_holds_are_gathered_together(actor: Actor, cash_box: Account) -> None:
    source = uuid7()
    asked = [
        HoldRequest(
            id=uuid8_near(source, "hold", number),
            account_code="1000",
            amount=kes("190.00"),
            source_type="tests.document",
            source_id=source,
        )
        for number in range(2)
    ]
    reserve(holds=asked, actor=actor)
    moved = Transfer.objects.filter(kind=TransferKind.GATHERING).count()
    again = reserve(holds=asked, actor=actor)
    assert all(one.replayed for one in again)
    assert Transfer.objects.filter(kind=TransferKind.GATHERING).count() == moved
    assert funds_of(account_code="1000", currency="KES").available == kes("20.00")
    hold()


def test_a_reversal_gathers_too(actor: Actor, cash_box: Account) -> None:
    receipt = paid_in("100.00")
    post(postings=[receipt], actor=actor)
    assert taken(actor, "390.00") == "done"
    reversal = Reversal(
        source_type=receipt.source_type,
        source_id=receipt.source_id,
        effective_on=date(2026, 11, 6),
    )
    reverse(reversals=[reversal], actor=actor)
    assert balance_of(account_code="1000", currency="KES") == kes("10.00")
    hold()


def test_funds_are_held_on_the_first_stripe_and_captured_from_any(
    actor: Actor, cash_box: Account
) -> None:
    source = uuid7()
    asked = HoldRequest(
        id=uuid8_near(source, "hold"),
        account_code="1000",
        amount=kes("350.00"),
        source_type="tests.document",
        source_id=source,
    )
    with pytest.raises(BelowFloor), transaction.atomic():
        too_much = HoldRequest(
            id=uuid8_near(source, "other"),
            account_code="1000",
            amount=kes("400.01"),
            source_type="tests.document",
            source_id=source,
        )
        reserve(holds=[too_much], actor=actor)
    reserve(holds=[asked], actor=actor)
    assert funds_of(account_code="1000", currency="KES").available == kes("50.00")
    assert taken(actor, "50.01") == "below_floor"
    assert taken(actor, "50.00") == "done"
    assert taken(actor, "0.01") == "below_floor"
    release(hold_id=asked.id, actor=actor)
    assert taken(actor, "350.00") == "done"
    hold()


def test_the_statement_of_a_striped_account_has_a_running_balance(
    cast: Cast, actor: Actor, cash_box: Account
) -> None:
    assert taken(actor, "395.00") == "done"
    account = Account.objects.with_balance().get(code="1000")
    ada = cast.api("ada")
    lines, address = [], f"ledger/accounts/{account.id}/statement/?page_size=10"
    while address:
        page = ada.get(address).json()
        assert page["closing_balance"] == {"amount": "5.00", "currency": "KES"}
        lines += page["results"]
        address = (page["next"] or "").partition("/api/v1/")[2]
    assert len(lines) == StatementLine.objects.filter(account_id=account.id).count()
    balance = 0
    for line in reversed(lines):
        cents = int(line["amount"]["amount"].replace(".", ""))
        balance += cents if line["side"] == "debit" else -cents
        assert line["balance"]["amount"] == f"{balance / 100:.2f}"
    assert balance == 500
    shown = ada.get(f"ledger/accounts/{account.id}/").json()
    assert (shown["balance"]["amount"], shown["stripes"]) == ("5.00", 4)


def test_stripes_are_added_through_the_api_and_told(cast: Cast) -> None:
    line = chart("4000")
    address = f"ledger/accounts/{line.id}/striping/"
    ada = cast.api("ada")
    assert cast.api("sam").post(address, {"stripes": 4}).status_code == 403
    for wrong in (0, 1, -2, 65, "x", 2.5, None):
        answer = ada.post(address, {"stripes": wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input"), wrong
    one_party = ada.post(f"ledger/accounts/{chart('1200').id}/striping/", {"stripes": 4})
    assert (one_party.status_code, one_party.json()["code"]) == (422, "account_is_one_party")
    assert not AuditEntry.objects.filter(event_name="ledger.account_striped").exists()
    assert ada.post(address, {"stripes": 4}).json()["stripes"] == 4
    fewer = ada.post(address, {"stripes": 4})
    assert (fewer.status_code, fewer.json()["code"]) == (409, "stripes_only_grow")
    line.refresh_from_db()
    assert line.stripes == 4
    assert AuditEntry.objects.filter(event_name="ledger.account_striped").count() == 1


def test_who_may_not_and_what_may_not_be_striped(actor: Actor, cast: Cast) -> None:
    for code, stripes, refusal in (
        ("1200", 4, AccountIsOneParty),
        ("4000", 1, BadInput),
        ("4000", 65, BadInput),
    ):
        with pytest.raises(refusal), transaction.atomic():
            striped(actor, code, stripes)
    striped(actor, "4000", 3)
    with pytest.raises(StripesOnlyGrow), transaction.atomic():
        striped(actor, "4000", 2)
    assert striped(actor, "4000", 5).stripes == 5
    assert set(Account.objects.exclude(code="4000").values_list("stripes", flat=True)) == {1}


def test_a_striped_account_is_closed_when_its_sum_is_nothing(actor: Actor) -> None:
    line = add_account(actor=actor, code="5210", name="Electricity", kind="expense")
    striped(actor, "5210", 8)

    def move(side: str, other: str) -> None:
        lines = [
            JournalLine(account_code="5210", side=side, amount=kes("5.00")),
            JournalLine(account_code="1000", side=other, amount=kes("5.00")),
        ]
        post_manual_journal(actor=actor, lines=lines, effective_on=date(2026, 11, 5), memo="-")

    for _ in range(6):
        move("debit", "credit")
    with pytest.raises(DomainError) as refusal, transaction.atomic():
        close_account(actor=actor, account_id=line.id)
    assert refusal.value.code == "account_not_empty"
    for _ in range(6):
        move("credit", "debit")
    close_account(actor=actor, account_id=line.id)
    assert not Balance.objects.filter(account__parent=line, is_open=True).exists()
    hold()


def test_the_database_keeps_what_belongs_to_one_party_in_one_balance(actor: Actor) -> None:
    with pytest.raises(Exception, match="ledger_account_stripes"), transaction.atomic():
        Account.objects.filter(code="1200").update(stripes=2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_account WHERE stripes > 1")
        assert cursor.fetchone() == (0,)
