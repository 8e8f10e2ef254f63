from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from shared_apps.audit import subscriptions
from shared_apps.audit.models import AuditEntry
from shared_apps.audit.services import record, record_all
from shared_apps.kernel.actor import Actor
from shared_apps.outbox.errors import NoOpenTransaction
from shared_apps.outbox.models import OutboxMessage
from tests.audit.news import (
    COLLEAGUE,
    PERSON,
    SESSION,
    SUBJECT,
    KettleBoiled,
    TeaServed,
    a_person,
    the_system,
    undone,
)


@pytest.fixture
def heard() -> Iterator[list[tuple[str, int, Actor]]]:
    """What two subscribers were told: the first listens to tea, the second to kettles."""
    calls: list[tuple[str, int, Actor]] = []

    def tea(events: Sequence[Any], *, actor: Actor) -> None:
        calls.append(("tea", len(events), actor))

    def kettle(events: Sequence[Any], *, actor: Actor) -> None:
        calls.append(("kettle", len(events), actor))

    subscriptions.subscribe(TeaServed, tea)
    subscriptions.subscribe(KettleBoiled, kettle)
    yield calls
    subscriptions.unsubscribe(TeaServed, tea)
    subscriptions.unsubscribe(KettleBoiled, kettle)


def test_writes_who_did_what_in_which_role_and_from_where(tenant: object) -> None:
    record(KettleBoiled(subject_id=SUBJECT, cups=2), actor=a_person())

    entry = AuditEntry.objects.get(event_name="kitchen.kettle_boiled")
    assert (entry.subject_type, entry.subject_id) == ("kitchen.kettle", SUBJECT)
    assert entry.payload == {"subject_id": str(SUBJECT), "cups": 2}
    assert (entry.actor_label, entry.actor_user_id) == ("user", PERSON)
    assert entry.actor_roles == ["salesperson", "verifier"]
    assert (entry.on_behalf_of, entry.session_id) == (COLLEAGUE, SESSION)
    assert (entry.request_id, entry.ip_address) == ("request-1", "203.0.113.7")
    assert entry.user_agent == "Firefox"


def test_writes_one_outbox_message_with_the_same_content(tenant: object) -> None:
    record(KettleBoiled(subject_id=SUBJECT, cups=2), actor=a_person())

    message = OutboxMessage.objects.get(event_name="kitchen.kettle_boiled")
    assert message.payload == {"subject_id": str(SUBJECT), "cups": 2}
    assert (message.subject_id, message.actor_user_id) == (SUBJECT, PERSON)
    assert message.request_id == "request-1"
    assert message.relayed_at is None


def test_refuses_to_write_outside_a_transaction(real_commits: object) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(NoOpenTransaction):
        record(TeaServed(subject_id=SUBJECT), actor=a_person())
    assert AuditEntry.objects.count() == before


def test_vanishes_with_the_transaction(real_commits: object) -> None:
    with undone():
        record(TeaServed(subject_id=SUBJECT), actor=a_person())

    assert not AuditEntry.objects.filter(event_name="kitchen.tea_served").exists()
    assert not OutboxMessage.objects.filter(event_name="kitchen.tea_served").exists()


def test_calls_each_subscriber_once_with_all_its_events_in_order_of_registration(
    tenant: object, heard: list[tuple[str, int, Actor]]
) -> None:
    actor = a_person()
    record_all(
        [
            KettleBoiled(subject_id=SUBJECT),
            TeaServed(subject_id=SUBJECT),
            KettleBoiled(subject_id=SUBJECT),
        ],
        actor=actor,
    )
    assert heard == [("tea", 1, actor), ("kettle", 2, actor)]


def test_a_failing_subscriber_takes_the_fact_with_it(tenant: object) -> None:
    def refuse(events: Sequence[Any], *, actor: Actor) -> None:
        raise ZeroDivisionError

    subscriptions.subscribe(TeaServed, refuse)
    try:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            record(TeaServed(subject_id=SUBJECT), actor=a_person())
    finally:
        subscriptions.unsubscribe(TeaServed, refuse)
    assert not AuditEntry.objects.filter(event_name="kitchen.tea_served").exists()


def test_a_quiet_actor_leaves_messages_that_nobody_will_be_told(tenant: object) -> None:
    record(TeaServed(subject_id=SUBJECT), actor=a_person().quietly())

    message = OutboxMessage.objects.get(event_name="kitchen.tea_served")
    assert message.quiet
    assert message.relayed_at is not None
    assert AuditEntry.objects.filter(event_name="kitchen.tea_served").count() == 1


def test_writes_no_message_where_the_outside_may_never_learn(tenant: object) -> None:
    record_all([TeaServed(subject_id=SUBJECT)], actor=a_person(), outbox=False)

    assert AuditEntry.objects.filter(event_name="kitchen.tea_served").exists()
    assert not OutboxMessage.objects.filter(event_name="kitchen.tea_served").exists()


@pytest.mark.parametrize("address", ["", "unknown", "203.0.113.7, 10.0.0.1", "'; --"])
def test_keeps_no_address_that_is_none(tenant: object, address: str) -> None:
    entry = record(TeaServed(subject_id=SUBJECT), actor=a_person(ip_address=address))
    entry.refresh_from_db()
    assert entry.ip_address is None


def test_bears_an_overlong_user_agent_with_a_nul(tenant: object) -> None:
    entry = record(TeaServed(subject_id=SUBJECT), actor=a_person(user_agent="\x00" + "a" * 5000))
    entry.refresh_from_db()
    assert entry.user_agent == "a" * 300


def test_costs_as_many_statements_for_one_event_as_for_nine_hundred(tenant: object) -> None:
    def statements(count: int) -> int:
        events = [KettleBoiled(subject_id=SUBJECT) for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            record_all(events, actor=the_system())
        return len(captured)

    statements(1)  # the first one also enters the schema
    assert statements(1) == statements(900)


def test_nothing_happened_means_nothing_is_written(tenant: object) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert record_all([], actor=the_system()) == []
    assert len(captured) == 0


@pytest.mark.parametrize("change", ["update", "delete"])
def test_entries_cannot_be_changed_by_anybody(tenant: object, change: str) -> None:
    entry = record(TeaServed(subject_id=SUBJECT), actor=a_person())
    rows = AuditEntry.objects.filter(pk=entry.pk)
    changes = {"update": lambda: rows.update(actor_user_id=None), "delete": rows.delete}
    with pytest.raises(DatabaseError), transaction.atomic():
        changes[change]()
    assert rows.get().actor_user_id == PERSON


def test_writes_all_of_more_than_one_statement_takes(tenant: object) -> None:
    entries, messages = AuditEntry.objects.count(), OutboxMessage.objects.count()
    record_all(
        [KettleBoiled(subject_id=SUBJECT, cups=cups) for cups in range(2001)], actor=the_system()
    )
    for rows, before in ((AuditEntry.objects, entries), (OutboxMessage.objects, messages)):
        written = rows.order_by("id").values_list("payload__cups", flat=True)[before:]
        assert list(written) == list(range(2001))
