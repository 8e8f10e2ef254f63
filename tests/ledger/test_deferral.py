"""Credits that are counted later: nobody who reads the books can tell, but by the versions."""

import json
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden
from shared_apps.kernel.money import AmountOutOfRange
from tenant_apps.ledger import database, folding
from tenant_apps.ledger.entries import Posting, Reversal
from tenant_apps.ledger.errors import (
    AccountNotDeferrable,
    AccountUnusable,
    PeriodIsClosed,
    PostingMismatch,
)
from tenant_apps.ledger.history.statements import Statement
from tenant_apps.ledger.models import (
    Account,
    DeferredCredit,
    FiscalPeriod,
    FoldedCredit,
    PeriodState,
    Transfer,
)
from tenant_apps.ledger.selectors import account_statement, funds_of
from tenant_apps.ledger.services import (
    fold_for_reading,
    fold_waiting,
    lock_account,
    post,
    post_each,
    postings,
    reverse,
)
from tests.databases import owner_connection
from tests.ledger.conftest import kes, posting
from tests.ledger.later import (
    CUSTOMER,
    account_of,
    by_hand,
    counted,
    defer,
    even,
    hold,
    later,
    sale,
)

__all__ = ["later"]


def test_the_balance_is_not_touched_and_yet_the_account_holds_it(
    later: Any, actor: Actor, balance: Callable[..., str]
) -> None:
    (journal,) = post(postings=[sale(net="100.00", tax="16.00")], actor=actor)
    assert counted("4000") == (0, 0)
    assert [leg.credit_balance for leg in journal.legs] == [None, None]
    net = Transfer.objects.get(leg=1)
    assert (net.credit_version, net.credit_balance, net.debit_version) == (None, None, 1)
    assert DeferredCredit.objects.get(account_id=account_of("4000")).amount_minor == 10000
    assert (balance("4000"), balance("2100"), balance("1200")) == ("100.00", "16.00", "116.00")
    assert funds_of(account_code="4000", currency="KES").posted == kes("100.00")
    shown = Account.objects.prefetch_related("balances").get(id=account_of("4000"))
    assert shown.posted == kes("100.00")
    assert even()
    hold()


def test_a_fold_gives_versions_and_balances_in_the_order_of_ids(later: Any, actor: Actor) -> None:
    post(postings=[sale(net=f"{n}.00", tax="0.00") for n in (1, 2, 3)], actor=actor)
    assert fold_waiting() == 3
    assert counted("4000") == (3, 600)
    lines = list(account_statement(account_id=account_of("4000")))
    assert [line.version for line in lines] == [3, 2, 1]
    by_id = list(Transfer.objects.order_by("id").values_list("id", "amount_minor"))
    assert [(line.transfer_id, line.amount_minor) for line in reversed(lines)] == by_id
    running = [sum(amount for _, amount in by_id[: n + 1]) for n in range(3)]
    assert [line.balance_minor for line in reversed(lines)] == running
    assert not DeferredCredit.objects.exists()
    assert fold_waiting() == 0
    assert counted("4000") == (3, 600)
    hold()


def test_portions_follow_each_other(later: Any, actor: Actor) -> None:
    post(postings=[sale(net="1.00", tax="1.00") for _ in range(5)], actor=actor)
    account = account_of("4000")
    assert [folding.fold(account_id=account, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert counted("4000") == (5, 500)
    hold()
    assert counted("2100") == (0, 0)


def test_only_what_is_named_is_counted(later: Any, actor: Actor) -> None:
    post(postings=[sale(net="1.00", tax="0.00") for _ in range(3)], actor=actor)
    newest = Transfer.objects.latest("id").id
    assert folding.fold(account_id=account_of("4000"), limit=1, only=[newest]) == 1
    assert FoldedCredit.objects.get().transfer_id == newest
    assert fold_waiting() == 2
    hold()


@pytest.mark.parametrize("size", [1, 3])
def test_a_repeated_posting_is_answered_alike_before_and_after_the_fold(
    later: Any, actor: Actor, size: int
) -> None:
    batch = [sale(net="5.00", tax="0.00") for _ in range(size)]
    first = post(postings=batch, actor=actor)
    before = post(postings=batch, actor=actor)
    fold_waiting()
    after = post(postings=batch, actor=actor)
    assert before == after
    assert [journal.legs for journal in after] == [journal.legs for journal in first]
    assert [journal.replayed for journal in after] == [True] * size
    assert counted("4000") == (size, 500 * size)
    assert not DeferredCredit.objects.exists()
    hold()


def test_other_content_under_the_same_source_is_refused(later: Any, actor: Actor) -> None:
    source = uuid4()
    post(postings=[sale(net="5.00", tax="0.00", source=source)], actor=actor)
    for twin in (
        sale(net="6.00", tax="0.00", source=source),
        posting("invoice.issued", net="5.00", tax="0.00", source=source, party=uuid4()),
    ):
        with pytest.raises(PostingMismatch), transaction.atomic():
            post(postings=[twin], actor=actor)
    assert DeferredCredit.objects.count() == 1
    hold()


def test_debits_of_the_account_are_counted_at_once(
    later: Any, actor: Actor, balance: Callable[..., str]
) -> None:
    sold = sale(net="100.00", tax="16.00")
    post(postings=[sold], actor=actor)
    back = Reversal(
        source_type=sold.source_type, source_id=sold.source_id, effective_on=date(2026, 11, 3)
    )
    (credit_note,) = reverse(reversals=[back], actor=actor)
    # The reversal of what waits comes first into the account's versions.
    assert counted("4000") == (1, -10000)
    assert balance("4000") == "0.00"
    assert even()
    hold()
    fold_waiting()
    assert counted("4000") == (2, 0)
    newest = account_statement(account_id=account_of("4000")).first()
    assert newest is not None
    assert (newest.side, newest.balance_minor) == ("credit", 0)
    assert len(credit_note.legs) == 2
    hold()


def test_a_reversal_after_the_fold(later: Any, actor: Actor, balance: Callable[..., str]) -> None:
    sold = sale(net="100.00", tax="16.00")
    post(postings=[sold], actor=actor)
    fold_waiting()
    back = Reversal(
        source_type=sold.source_type, source_id=sold.source_id, effective_on=date(2026, 11, 3)
    )
    reverse(reversals=[back], actor=actor)
    assert (counted("4000"), balance("4000")) == ((2, 0), "0.00")
    hold()


def test_by_hand_it_is_counted_at_once(later: Any, actor: Actor) -> None:
    by_hand(actor, "1000", "4000", "7.00")
    assert counted("4000") == (1, 700)
    assert not DeferredCredit.objects.exists()


def test_a_batch_in_which_some_are_counted_later(
    later: Any, actor: Actor, balance: Callable[..., str]
) -> None:
    batch: list[Posting] = [
        sale(net="10.00", tax="0.00"),
        posting("payment.received.cash", amount="10.00", party=CUSTOMER),
        sale(net="20.00", tax="3.20"),
        posting("payment.allocated", amount="10.00", party=CUSTOMER),
    ]
    journals = post(postings=batch, actor=actor)
    assert [leg.credit_balance for one in journals for leg in one.legs] == [
        None, 1000, None, None, 2320,
    ]  # fmt: skip
    assert (balance("4000"), balance("2100"), balance("1200", CUSTOMER)) == (
        "30.00", "3.20", "23.20",
    )  # fmt: skip
    assert even()
    hold()
    fold_waiting()
    hold()


def test_one_bad_row_of_many_leaves_nothing_waiting(later: Any, actor: Actor) -> None:
    bad = posting("payment.allocated", amount="1.00", party=uuid4())
    answers = post_each(postings=[sale(net="1.00", tax="0.00"), bad], actor=actor)
    assert [getattr(answer, "code", "done") for answer in answers] == ["done", "below_floor"]
    assert DeferredCredit.objects.count() == Transfer.objects.count() == 1
    hold()


def test_a_closed_period_refuses(later: Any, actor: Actor) -> None:
    FiscalPeriod.objects.containing(date(2026, 11, 2)).update(state=PeriodState.CLOSED)
    for batch in ([sale(net="1.00", tax="0.00")], [sale(net="1.00", tax="1.00")]):
        with pytest.raises(PeriodIsClosed), transaction.atomic():
            post(postings=batch, actor=actor)
    assert not DeferredCredit.objects.exists()
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("batch", [1, 2])
def test_a_closed_account_refuses(later: Any, actor: Actor, batch: int) -> None:
    post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
    database.set_open(chart_id=Account.objects.chart().get(code="4000").id, is_open=False)
    with pytest.raises(AccountUnusable), transaction.atomic():
        post(postings=[sale(net="1.00", tax="0.00") for _ in range(batch)], actor=actor)
    assert DeferredCredit.objects.count() == 1


@pytest.mark.parametrize("batch", [1, 2])
def test_an_account_with_a_floor_is_never_credited_later(
    later: Any, actor: Actor, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever Python says: the posting functions look."""
    monkeypatch.setattr(postings, "_is_deferred", lambda line, amount: True)
    with pytest.raises(AccountUnusable), transaction.atomic():
        post(
            postings=[
                posting("payment.received.cash", amount="1.00", party=CUSTOMER)
                for _ in range(batch)
            ],
            actor=actor,
        )
    assert not DeferredCredit.objects.exists()


def test_dear_credits_are_counted_at_once_and_never_leave_64_bits(
    later: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    dear = partial(sale, tax="0.00")
    post(postings=[dear(net="10000000000.00")], actor=actor)
    assert counted("4000") == (1, 10**12)
    post(postings=[dear(net="9999999999.99")], actor=actor)
    assert DeferredCredit.objects.get().amount_minor == 10**12 - 1
    monkeypatch.setattr(postings, "DEFERRED_BELOW", 10**15)
    for batch in (1, 2):
        with pytest.raises(AmountOutOfRange), transaction.atomic():
            post(postings=[dear(net="10000000000.00") for _ in range(batch)], actor=actor)
    hold()


class TestWhoSaysSo:
    def test_it_is_recorded_once(self, tenant: Any, actor: Actor) -> None:
        defer(actor, "4900")
        defer(actor, "4900")
        entries = AuditEntry.objects.filter(event_name="ledger.account_deferral_changed")
        assert [entry.payload["deferred"] for entry in entries] == [True]
        defer(actor, "4900", deferred=False)
        assert entries.all().count() == 2
        assert not Account.objects.chart().get(code="4900").deferred

    @pytest.mark.parametrize("code", ["2000", "2400", "1200", "2200"])
    def test_not_where_somebody_decides_by_the_balance(
        self, tenant: Any, actor: Actor, code: str
    ) -> None:
        with pytest.raises(AccountNotDeferrable):
            defer(actor, code)
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.chart().filter(code=code).update(deferred=True)

    def test_its_permission_is_needed(self, tenant: Any, actor: Actor) -> None:
        class Nobody:
            def allows(self, permission: str, obj: object = None) -> bool:
                return permission == "ledger.view_account"

            def visible(self, queryset: Any, permission: str) -> Any:
                return queryset

        stranger = Actor(
            user_id=uuid4(), session_id=None, request_id="-", roles=(), ip_address="",
            user_agent="", on_behalf_of=None, label="user", checker=Nobody(),
        )  # fmt: skip
        with pytest.raises(Forbidden):
            defer(stranger, "4000")

    def test_switched_off_what_waits_is_counted_all_the_same(
        self, later: Any, actor: Actor
    ) -> None:
        post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
        defer(actor, "4000", deferred=False)
        post(postings=[sale(net="2.00", tax="0.00")], actor=actor)
        assert counted("4000") == (1, 200)
        assert fold_waiting() == 1
        assert counted("4000") == (2, 300)
        hold()

    def test_nobody_decides_under_its_lock(self, later: Any, actor: Actor) -> None:
        with pytest.raises(RuntimeError, match="do not wait"):
            lock_account(account_code="4000", currency="KES", subledger_id=None, actor=actor)


def test_a_fold_that_was_cut_off_has_done_nothing(later: Any, actor: Actor) -> None:
    post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
    with transaction.atomic():
        fold_waiting()
        transaction.set_rollback(True)
    assert (counted("4000"), FoldedCredit.objects.count()) == ((0, 0), 0)
    assert DeferredCredit.objects.count() == 1
    hold()


def test_one_that_cannot_be_counted_holds_up_no_other(
    later: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(postings=[sale(net="1.00", tax="1.00")], actor=actor)
    revenue, fold = account_of("4000"), folding.fold

    def failing(*, account_id: UUID, **values: Any) -> int:
        if account_id == revenue:
            raise DataError("out of range")
        return fold(account_id=account_id, **values)

    monkeypatch.setattr(folding, "fold", failing)
    assert fold_waiting() == 1
    assert (counted("4000")[0], counted("2100")[0]) == (0, 1)


def test_a_statement_is_read_after_counting(
    later: Any, actor: Actor, balance: Callable[..., str]
) -> None:
    post(postings=[sale(net="1.00", tax="0.00") for _ in range(2)], actor=actor)
    account = account_of("4000")
    assert not account_statement(account_id=account).exists()
    fold_for_reading(account_id=account)
    newest = account_statement(account_id=account).select_related("other_account").first()
    assert newest is not None
    assert (newest.version, newest.balance_minor, newest.rule) == (2, 200, "invoice.issued")
    assert (newest.other_account.code, newest.memo, newest.side) == ("1200", "", "credit")


def test_a_statement_adds_up_while_something_waits(later: Any, actor: Actor) -> None:
    """Between the counting and the reading, somebody else posts."""
    post(postings=[sale(net="1.00", tax="0.00") for _ in range(2)], actor=actor)
    account = account_of("4000")
    fold_for_reading(account_id=account)
    post(postings=[sale(net="5.00", tax="0.00")], actor=actor)
    page = Statement(account_id=account, currency="KES", last_day=date(2026, 12, 31)).page(size=5)
    assert [line.balance_minor for line in page.lines] == [200, 100]
    assert (page.opening, page.closing) == (kes("0.00"), kes("2.00"))


def test_a_page_of_a_statement_does_not_read_the_whole_account(
    real_commits: Any, actor: Actor
) -> None:
    with transaction.atomic():
        defer(actor)
        post(postings=[sale(net="1.00", tax="0.00") for _ in range(900)], actor=actor)
    fold_waiting()
    with owner_connection(connection.settings_dict["NAME"]) as owner:
        owner.execute(f"SET search_path = {real_commits.schema_name}")
        owner.execute("ANALYZE ledger_foldedcredit")
        owner.execute("ANALYZE ledger_transfer")
    page = account_statement(account_id=account_of("4000"))[:20]
    plan = page.explain(analyze=True, format="json")
    assert _most_rows(json.loads(plan)[0]["Plan"]) < 60
    assert len(page) == 20


def _most_rows(node: dict[str, Any]) -> float:
    below = [_most_rows(each) for each in node.get("Plans", [])]
    return max([node["Actual Rows"], *below])
