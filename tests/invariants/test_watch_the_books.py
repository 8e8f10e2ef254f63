"""Whatever is done to the books behind the functions' back turns the watch red, and it says so."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.invariants.models import InvariantAlarm, InvariantCheck
from tenant_apps.invariants.services import watch
from tenant_apps.ledger.entries import CreditChange
from tenant_apps.ledger.models import Checkpoint, Transfer
from tenant_apps.ledger.selectors import books_stop
from tenant_apps.ledger.services import (
    change_credit,
    open_credit_line,
    post,
    release,
    start_postings,
)
from tests.invariants.conftest import Tamper, sale
from tests.ledger.conftest import kes

BALANCES, TRIAL, HELD = "ledger.balances", "ledger.trial_balance", "ledger.held"
OF_CASH = "(SELECT id FROM ledger_account WHERE code = '1000' AND currency IS NOT NULL)"
NEWEST = (
    "(SELECT id FROM ledger_transfer WHERE rule = 'payment.received.cash'"
    " ORDER BY debit_version DESC LIMIT 1)"
)

# What somebody did after the last check, and which invariants say so by what changed alone.
SEEN_AT_ONCE = [
    (
        f"UPDATE ledger_balance SET posted = posted + 1 WHERE account_id = {OF_CASH}",
        {BALANCES: "balances equal their transfers", TRIAL: "the books are even in each currency"},
    ),
    (
        f"UPDATE ledger_balance SET version = version + 1 WHERE account_id = {OF_CASH}",
        {BALANCES: "balances equal their transfers"},
    ),
    (
        f"UPDATE ledger_balance SET version = 1 WHERE account_id = {OF_CASH}",
        {BALANCES: "balances equal their transfers"},
    ),
    (
        f"UPDATE ledger_transfer SET amount_minor = amount_minor + 1 WHERE id = {NEWEST}",
        {BALANCES: "balances equal their transfers"},
    ),
    (
        f"UPDATE ledger_transfer SET debit_balance = 7 WHERE id = {NEWEST}",
        {BALANCES: "each transfer leaves the balance it says"},
    ),
    (
        f"UPDATE ledger_transfer SET debit_version = debit_version + 5 WHERE id = {NEWEST}",
        {BALANCES: "versions have no gap"},
    ),
    (f"DELETE FROM ledger_transfer WHERE id = {NEWEST}", {BALANCES: "balances equal their"}),
    (
        "UPDATE ledger_balance SET held = held + 1 WHERE held > 0",
        {HELD: "what is held is the sum of the open holds"},
    ),
    (
        "UPDATE ledger_hold SET state = 'released', released_minor = amount_minor",
        {HELD: "what is held is the sum of the open holds"},
    ),
    ("DELETE FROM ledger_hold", {HELD: "what is held is the sum of the open holds"}),
    ("UPDATE ledger_balance SET floor = posted + 1 WHERE floor = 0", {HELD: "nothing is"}),
]
# What lies before the last check is found by a sweep.
SEEN_BY_A_SWEEP = [
    f"UPDATE ledger_transfer SET amount_minor = amount_minor + 1 WHERE id = {NEWEST}",
    f"UPDATE ledger_transfer SET debit_balance = 7 WHERE id = {NEWEST}",
    f"DELETE FROM ledger_transfer WHERE id = {NEWEST}",
    "UPDATE ledger_account SET normal_side = 'credit' WHERE code = '1000'",
    f"DELETE FROM ledger_balance WHERE account_id = {OF_CASH}",
]
SAVED = ("ledger_balance", "ledger_transfer", "ledger_hold")


def rules_found() -> dict[str, str]:
    return {
        check.name: " ".join(finding["rule"] for finding in check.findings)
        for check in InvariantCheck.objects.red()
    }


def save(tamper: Tamper) -> None:
    tamper("DISCARD TEMP")
    for table in SAVED:
        tamper(f"CREATE TEMPORARY TABLE saved_{table} AS TABLE {table}")
    tamper("CREATE TEMPORARY TABLE saved_sides AS SELECT id, normal_side FROM ledger_account")


def repair(tamper: Tamper) -> None:
    for table in SAVED:
        tamper(f"DELETE FROM {table}")
        tamper(f"INSERT INTO {table} TABLE saved_{table}")
    tamper(
        "UPDATE ledger_account a SET normal_side = s.normal_side"
        " FROM saved_sides s WHERE s.id = a.id"
    )


def test_each_kind_is_seen_named_stops_the_books_and_is_over_once_repaired(
    tamper: Tamper, actor: Actor, customers: list[UUID]
) -> None:
    for number, (statement, expected) in enumerate(SEEN_AT_ONCE, start=1):
        with transaction.atomic():
            post(postings=[sale(customers[0]), sale(customers[1])], actor=actor)
        save(tamper)
        tamper(statement)
        assert set(watch(actor=actor)) == set(expected), statement
        for name, rule in expected.items():
            assert rule in rules_found()[name], statement
        stop = books_stop()
        assert stop is not None, statement
        assert stop.invariant in expected, statement
        written = Transfer.objects.count()
        with (
            pytest.raises(DomainError, match="nothing is written") as refusal,
            transaction.atomic(),
        ):
            post(postings=[sale(customers[0])], actor=actor)
        assert (refusal.value.code, refusal.value.status) == ("books_stopped", 409)
        assert Transfer.objects.count() == written
        with pytest.raises(DomainError) as refusal:
            start_postings(actor=actor, reason="Let us see.")
        assert refusal.value.code == "books_do_not_hold"
        repair(tamper)
        assert watch(actor=actor) == [], statement
        assert books_stop() is not None, "somebody starts them again"
        start_postings(actor=actor, reason="Repaired.")
        assert books_stop() is None, statement
        started = AuditEntry.objects.filter(event_name="ledger.postings_started")
        assert started.count() == number


def test_what_lies_before_the_last_check_is_found_by_a_sweep_and_cleared_by_one(
    tamper: Tamper, actor: Actor, customers: list[UUID]
) -> None:
    save(tamper)
    for statement in SEEN_BY_A_SWEEP:
        tamper(statement)
        assert BALANCES in watch(actor=actor, sweep=True), statement
        InvariantCheck.objects.update(sweep_microseconds=10**12)
        assert BALANCES in watch(actor=actor), "what changed since does not clear it"
        repair(tamper)
        assert watch(actor=actor, sweep=True) == [], statement
    start_postings(actor=actor, reason="Repaired.")
    with transaction.atomic():
        post(postings=[sale(customers[0])], actor=actor)
    assert watch(actor=actor) == []


def test_an_alarm_is_raised_once_however_often_it_is_found(tamper: Tamper, actor: Actor) -> None:
    save(tamper)
    tamper(SEEN_AT_ONCE[0][0])
    for _ in range(3):
        assert watch(actor=actor) == [BALANCES, TRIAL]
    assert InvariantAlarm.objects.count() == 2
    named = AuditEntry.objects.filter(event_name__startswith="invariants.")
    assert named.count() == 2
    stopped = AuditEntry.objects.filter(event_name="ledger.postings_stopped")
    assert stopped.count() == 1, "the second alarm finds the books stopped"
    repair(tamper)
    assert watch(actor=actor) == []
    assert all(alarm.closed_at for alarm in InvariantAlarm.objects.select_related("closing"))
    tamper(SEEN_AT_ONCE[0][0])
    watch(actor=actor)
    assert InvariantAlarm.objects.count() == 4, "another opening is another alarm"


def test_holds_wait_too_while_the_books_are_stopped(tamper: Tamper, actor: Actor) -> None:
    tamper(SEEN_AT_ONCE[0][0])
    watch(actor=actor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ledger_hold")
        (hold_id,) = cursor.fetchone()
    with pytest.raises(DomainError) as refusal, transaction.atomic():
        release(hold_id=hold_id, actor=actor)
    assert refusal.value.code == "books_stopped"


def test_only_what_changed_is_read(books: Any, actor: Actor, customers: list[UUID]) -> None:
    def read() -> int:
        assert watch(actor=actor) == []
        return int(InvariantCheck.objects.get(name=BALANCES).rows_read)

    assert read() == 0
    with transaction.atomic():
        post(postings=[sale(customers[0])], actor=actor)
    assert read() == 2, "one transfer has two sides"
    assert read() == 0
    assert Checkpoint.objects.count() > 0


def test_books_that_are_running_are_not_started(books: Any, actor: Actor) -> None:
    with pytest.raises(DomainError) as refusal:
        start_postings(actor=actor, reason="Why not.")
    assert refusal.value.code == "books_not_stopped"


def test_a_reason_is_asked_for(books: Any, actor: Actor) -> None:
    with pytest.raises(DomainError) as refusal:
        start_postings(actor=actor, reason="  ")
    assert refusal.value.code == "invalid_input"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_stop",
        "INSERT INTO ledger_stop VALUES (1, gen_random_uuid(), 'x', now())",
    ],
)
def test_only_the_functions_write_the_stop(books: Any, statement: str) -> None:
    from django.db import ProgrammingError

    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_stop_is_looked_at_once_before_the_function_is_called(
    books: Any, actor: Actor, customers: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a plan of that kind, a stopped posting would be made and thrown away."""
    # With its values in the text, the same statement can be explained.
    monkeypatch.setattr(connection, "prepared_cursor", connection.cursor)
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        post(postings=[sale(customers[0])], actor=actor)
        statement = next(q["sql"] for q in asked if "ledger_post_transfer(" in q["sql"])
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "One-Time Filter" in plan


def test_credit_is_not_used_while_the_books_are_stopped(tamper: Tamper, actor: Actor) -> None:
    client, other, origin = uuid4(), uuid4(), uuid7()
    subject_type = "tests.client"
    with transaction.atomic():
        for one in (client, other):
            open_credit_line(subject_type=subject_type, subject_id=one, currency="KES", actor=actor)
    tamper(SEEN_AT_ONCE[0][0])
    watch(actor=actor)
    changes = [
        CreditChange(
            id=uuid8_near(origin, "credit", number),
            subject_type=subject_type,
            subject_id=one,
            kind="use",
            used=kes("1.00"),
            held=kes("0.00"),
            effective_on=date(2026, 11, 2),
            source_type="tests.document",
            source_id=origin,
        )
        for number, one in enumerate((client, other))
    ]
    for some in (changes, changes[:1]):
        with pytest.raises(DomainError) as refusal, transaction.atomic():
            change_credit(changes=some, actor=actor)
        assert refusal.value.code == "books_stopped"


def test_a_credit_line_above_its_limit_is_seen(tamper: Tamper, actor: Actor) -> None:
    tamper(
        "INSERT INTO ledger_creditline (id, subject_type, subject_id, currency, limit_minor,"
        " grandfathered_minor, used_minor, held_minor, version, lock_rank)"
        " VALUES (gen_random_uuid(), 'tests.client', gen_random_uuid(), 'KES', 100, 0, 90, 20, 0,"
        " 0)"
    )
    assert watch(actor=actor) == ["ledger.credit_lines"]
    (found, *_) = InvariantCheck.objects.get(name="ledger.credit_lines").findings
    assert found["rule"] == "what is used and held stays within the limit"
    tamper("UPDATE ledger_creditline SET used_minor = 0, held_minor = 0")
    assert watch(actor=actor) == []
