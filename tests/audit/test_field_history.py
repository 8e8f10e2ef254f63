from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.core.exceptions import FieldDoesNotExist
from django.core.signals import request_finished, request_started
from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import User
from shared_apps.audit.errors import NotTracked
from shared_apps.audit.history import (
    forget_history_actor,
    history_actor,
    record_bulk_changed,
    record_bulk_created,
    set_history_actor,
    track,
)
from shared_apps.audit.selectors import field_history_of, field_history_visible_to
from shared_apps.delivery.models import Mail
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor, AllowsEverything
from shared_apps.outbox.models import OutboxMessage
from tests.audit.news import a_person, the_system

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def mails_are_tracked() -> Iterator[None]:
    track(Mail, exclude=("text",), mask=("to",))
    yield
    auditlog.unregister(Mail)
    set_history_actor(None)


@pytest.fixture
def owner(tenant: object) -> Actor:
    """The owner, who is a row of this organization."""
    user = User.objects.create(email="owner@example.com", full_name="The Owner")
    return a_person(user_id=user.pk)


def a_mail(**values: object) -> Mail:
    return Mail(template="hello", to="asha@example.com", subject="Hi", text="pssst", **values)


def history(mail: Mail) -> list[LogEntry]:
    return list(field_history_of(Mail, pk=mail.pk))


def test_tells_who_made_a_row_from_where_and_when_by_our_clock(owner: Actor) -> None:
    mail = a_mail()
    with clock.frozen(NOON), history_actor(owner):
        mail.save(force_insert=True)

    (entry,) = history(mail)
    assert entry.action == LogEntry.Action.CREATE
    assert entry.actor_id == owner.user_id
    assert entry.remote_addr == "203.0.113.7"
    assert entry.cid == "request-1"
    assert entry.timestamp == NOON
    assert entry.additional_data["roles"] == ["salesperson", "verifier"]
    assert entry.changes["subject"] == [None, "Hi"]


def test_tells_the_values_before_and_after(owner: Actor) -> None:
    mail = a_mail()
    mail.save(force_insert=True)
    with history_actor(owner):
        mail.subject = "Hello"
        mail.save(update_fields=["subject"])

    assert history(mail)[0].changes == {"subject": ["Hi", "Hello"]}


def test_masks_personal_fields_and_leaves_out_excluded_ones(owner: Actor) -> None:
    mail = a_mail()
    with history_actor(owner):
        mail.save(force_insert=True)
        mail.to, mail.text = "baraka@example.com", "pssst again"
        mail.save()

    changed, created = history(mail)
    assert created.changes["to"] == ["", "***"]
    assert changed.changes == {"to": ["***", "***"]}
    for entry in (changed, created):
        assert entry.object_repr == ""
        assert "pssst" not in str(vars(entry))
        assert "example.com" not in str(vars(entry))


def test_names_no_user_for_the_system(tenant: object) -> None:
    mail = a_mail()
    with history_actor(the_system()):
        mail.save(force_insert=True)

    (entry,) = history(mail)
    assert entry.actor_id is None
    assert entry.additional_data["actor"] == "system:test"


@pytest.mark.parametrize("signal", [request_started, request_finished])
def test_forgets_the_actor_when_a_request_begins_and_ends(owner: Actor, signal: Signal) -> None:
    set_history_actor(owner)
    # The other receivers close connections, so only ours is called.
    names = {key[0] for key, *_ in signal.receivers}
    assert names & {"audit.request_started", "audit.request_finished"}
    forget_history_actor(sender=None)
    mail = a_mail()
    mail.save(force_insert=True)

    assert history(mail)[0].actor_id is None


def test_bulk_creation_reads_like_single_creation(owner: Actor) -> None:
    single, bulk = a_mail(sent_at=NOON), a_mail(sent_at=NOON)
    with clock.frozen(NOON):
        bulk.next_attempt_at = single.next_attempt_at = NOON
        with history_actor(owner):
            single.save(force_insert=True)
        Mail.objects.bulk_create([bulk])
        record_bulk_created([bulk], actor=owner)

    (one,), (other,) = history(single), history(bulk)
    for field in ("actor_id", "remote_addr", "cid", "timestamp", "action", "additional_data"):
        assert getattr(one, field) == getattr(other, field), field
    without_id = {name: pair for name, pair in other.changes.items() if name != "id"}
    assert without_id == {name: pair for name, pair in one.changes.items() if name != "id"}


def test_bulk_changes_tell_before_and_after_and_mask(owner: Actor) -> None:
    mail = a_mail()
    Mail.objects.bulk_create([mail])
    record_bulk_changed(
        [mail],
        [
            {
                "subject": ("Hi", "Ho"),
                "to": ("a@example.com", "b@example.com"),
                "text": ("pssst", "pssst again"),
                "attempts": (1, 1),
            }
        ],
        actor=owner,
    )
    (entry,) = history(mail)
    assert entry.action == LogEntry.Action.UPDATE
    assert entry.changes == {"subject": ["Hi", "Ho"], "to": ["***", "***"]}


def test_bulk_history_costs_as_many_statements_for_one_row_as_for_nine_hundred(
    owner: Actor,
) -> None:
    def statements(count: int) -> int:
        mails = [a_mail() for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            record_bulk_created(mails, actor=owner)
        return len(captured)

    statements(1)  # the content type is looked up once
    assert statements(1) == statements(900)


def test_refuses_rows_of_a_model_without_history(tenant: object) -> None:
    with pytest.raises(NotTracked):
        record_bulk_created([OutboxMessage()], actor=the_system())


def test_refuses_to_track_a_field_that_is_none() -> None:
    with pytest.raises(FieldDoesNotExist):
        track(Mail, mask=("phone",))


def test_cannot_be_changed_by_anybody(owner: Actor) -> None:
    mail = a_mail()
    mail.save(force_insert=True)
    for change in (
        lambda: LogEntry.objects.update(changes={}),
        lambda: LogEntry.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert len(history(mail)) == 1


def test_is_shown_to_those_who_may_read_it(owner: Actor) -> None:
    a_mail().save(force_insert=True)
    assert not field_history_visible_to(owner).exists()
    assert field_history_visible_to(owner.changed(checker=AllowsEverything())).exists()
