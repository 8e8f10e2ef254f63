import email
import email.policy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as outgoing
from django.db import IntegrityError, connection, transaction
from django.template.exceptions import TemplateDoesNotExist
from django.test import TestCase

from shared_apps.delivery import services, tasks
from shared_apps.delivery.backends import FolderBackend
from shared_apps.delivery.errors import NotAnAddress, TemplateWithoutSubject
from shared_apps.delivery.models import Mail, MailState
from shared_apps.delivery.selectors import undelivered_mails
from shared_apps.delivery.services import (
    MAX_ATTEMPTS,
    SECRETS_LOST_AFTER,
    give_up_lost_secrets,
    send_due,
    send_mail,
    send_secret_mail,
)
from shared_apps.kernel import clock
from shared_apps.outbox import waking
from tenants.context import organization_or_none, platform_context, tenant_context
from tests.audit.news import PERSON, a_person, undone

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The organizations for which the mail task was called, instead of calling it."""
    calls: list[Any] = []
    monkeypatch.setitem(waking._callers, "mail", lambda: calls.append(organization_or_none()))
    monkeypatch.setattr(waking, "_resting_until", 0.0)
    return calls


@contextmanager
def committed() -> Iterator[None]:
    with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
        yield
    connection.run_on_commit.clear()


def kettle(**values: Any) -> Mail:
    options: dict[str, Any] = {
        "to": "asha@example.com",
        "template": "kettle",
        "context": {"name": "Asha O'Neil"},
    }
    return send_mail(**{**options, **values})


def code(to: str = "asha@example.com") -> Mail:
    return send_secret_mail(to=to, template="code", context={"code": "S3CR3T-77"})


def everything_stored(mail: Mail) -> str:
    return str(Mail.objects.filter(pk=mail.pk).values().get())


class Broken:
    """A mail server that is down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried = 0
        monkeypatch.setattr(outgoing.EmailMessage, "send", self.send)

    def send(self, **_: Any) -> int:
        self.tried += 1
        raise ConnectionRefusedError("asha@example.com could not be reached")


def test_sends_after_the_commit_and_not_before(tenant: Any, no_worker: list[Any]) -> None:
    waking.call_is_taken("mail")
    with committed():
        mail = kettle()
        assert (outgoing.outbox, no_worker) == ([], [])
    assert no_worker == [tenant]
    assert send_due() is False

    (message,) = outgoing.outbox
    assert message.to == ["asha@example.com"]
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (MailState.SENT, 1)
    assert mail.sent_at is not None


def test_sends_nothing_for_what_was_rolled_back(tenant: Any) -> None:
    with undone():
        kettle()
    send_due()
    assert outgoing.outbox == []


def test_fills_in_the_template_as_plain_text_and_as_html(tenant: Any) -> None:
    kettle(context={"name": "Asha <b>O'Neil</b>"})
    send_due()

    (message,) = outgoing.outbox
    assert isinstance(message, outgoing.EmailMultiAlternatives)
    assert message.subject == "Kettle of Acme Trading for Asha <b>O'Neil</b>"
    assert message.body.startswith("Hello Asha <b>O'Neil</b>,\n")
    content, kind = message.alternatives[0]
    html = str(content)
    assert kind == "text/html"
    assert "<b>" not in html
    assert 'href="https://acme.kontor.test/k?a=1&amp;b=2"' in html


def test_a_line_break_in_a_value_begins_no_header(tenant: Any) -> None:
    kettle(context={"name": "Asha\r\nBcc: everybody@example.com\n\nsurprise"})
    send_due()

    (message,) = outgoing.outbox
    assert "\n" not in message.subject
    assert message.recipients() == ["asha@example.com"]
    assert "Bcc" not in message.message()


@pytest.mark.parametrize(
    "to",
    ["", "asha", "a@b", "a@example.com\nBcc: b@example.com", "a@example.com, b@example.com"],
)
def test_refuses_what_is_no_address(tenant: Any, to: str) -> None:
    for send in (lambda: kettle(to=to), lambda: code(to)):
        with pytest.raises(NotAnAddress):
            send()
    assert not Mail.objects.exists()


def test_refuses_a_template_that_is_missing_or_has_no_subject(tenant: Any) -> None:
    with pytest.raises(TemplateDoesNotExist):
        kettle(template="no-such")
    with pytest.raises(TemplateWithoutSubject):
        kettle(template="nameless")
    assert not Mail.objects.exists()


def test_tries_again_with_growing_pauses_until_it_gives_up(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Broken(monkeypatch)
    with clock.frozen(NOON) as time:
        mail = kettle()
        send_due()
        send_due()
        assert server.tried == 1
        time.advance(seconds=30)
        send_due()
        assert server.tried == 2
        time.advance(seconds=59)
        send_due()
        assert server.tried == 2
        for _ in range(MAX_ATTEMPTS + 2):
            time.advance(days=1)
            send_due()

    mail.refresh_from_db()
    assert (server.tried, mail.state) == (MAX_ATTEMPTS, MailState.FAILED)
    assert mail.error == "builtins.ConnectionRefusedError"


def test_one_broken_address_does_not_hold_up_the_others(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over = services._hand_over

    def picky(mail: Mail, **rest: Any) -> None:
        if mail.to == "bad@example.com":
            raise ConnectionRefusedError
        hand_over(mail, **rest)

    monkeypatch.setattr(services, "_hand_over", picky)
    for name in ("a", "bad", "c"):
        kettle(to=f"{name}@example.com")
    send_due()
    assert [message.to for message in outgoing.outbox] == [["a@example.com"], ["c@example.com"]]


def test_a_second_sending_of_one_mail_carries_the_same_message_id(tenant: Any) -> None:
    mail = kettle()
    send_due()
    Mail.objects.filter(pk=mail.pk).update(state=MailState.QUEUED)
    send_due()
    first, second = outgoing.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_two_workers_send_each_mail_once(real_commits: Any) -> None:
    for number in range(20):
        kettle(to=f"person{number}@example.com")
    barrier = threading.Barrier(3)

    def work() -> None:
        try:
            with tenant_context(real_commits):
                barrier.wait(20)
                send_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(message.to[0] for message in outgoing.outbox) == sorted(
        f"person{number}@example.com" for number in range(20)
    )


def test_stops_at_its_limit_and_says_that_more_is_due(tenant: Any) -> None:
    for _ in range(3):
        kettle()
    assert send_due(limit=2) is True
    assert len(outgoing.outbox) == 2


def test_mails_of_one_organization_are_not_seen_by_another(
    organization: Any, neighbour: Any
) -> None:
    with tenant_context(organization):
        kettle()
    with tenant_context(neighbour):
        send_due()
    with platform_context(reason="test"):
        send_due()
    assert outgoing.outbox == []


def test_a_secret_is_sent_at_the_commit_and_stored_nowhere(tenant: Any) -> None:
    with committed():
        mail = code()
        assert outgoing.outbox == []

    (message,) = outgoing.outbox
    assert "S3CR3T-77" in message.body
    stored = everything_stored(mail)
    assert "S3CR3T" not in stored
    assert "Your code" not in stored
    mail.refresh_from_db()
    assert (mail.state, mail.template, mail.to) == (MailState.SENT, "code", "asha@example.com")


def test_a_secret_that_was_rolled_back_is_not_sent(tenant: Any) -> None:
    with committed(), undone():
        code()
    assert outgoing.outbox == []


def test_a_secret_that_could_not_be_sent_is_failed_and_hurts_nobody(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    server = Broken(monkeypatch)
    with committed():
        mail = code()

    mail.refresh_from_db()
    assert (server.tried, mail.state) == (1, MailState.FAILED)
    assert send_due() is False
    assert server.tried == 1
    assert "S3CR3T" not in everything_stored(mail)
    assert "S3CR3T" not in "".join(capfd.readouterr())


def test_the_database_refuses_to_store_a_secret(tenant: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Mail.objects.create(template="code", to="a@example.com", is_secret=True, text="S3CR3T")


def test_says_who_had_it_sent(tenant: Any) -> None:
    assert kettle(actor=a_person()).created_by_id == PERSON


def test_a_folder_keeps_one_whole_file_for_each_mail(tmp_path: Path, settings: Any) -> None:
    backend = FolderBackend(file_path=str(tmp_path / "mail"))
    message = outgoing.EmailMessage("Héllo", "Text", "from@example.com", ["../../x@example.com"])
    assert backend.send_messages([message, message]) == 2

    files = sorted((tmp_path / "mail").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    read = email.message_from_bytes(files[0].read_bytes(), policy=email.policy.default)
    assert (read["Subject"], read.get_content().strip()) == ("Héllo", "Text")


def test_a_secret_whose_process_ended_before_the_sending_is_seen_as_lost(tenant: Any) -> None:
    with clock.frozen(NOON) as time:
        # Committed, and nobody is there who would call what comes after it.
        mail, other = code(), kettle()
        time.advance(seconds=SECRETS_LOST_AFTER.total_seconds())
        assert give_up_lost_secrets() == 0
        time.advance(seconds=1)
        assert give_up_lost_secrets() == 1
        assert give_up_lost_secrets() == 0
        send_due()

    mail.refresh_from_db()
    other.refresh_from_db()
    assert (mail.state, other.state) == (MailState.LOST, MailState.SENT)
    assert [message.to for message in outgoing.outbox] == [["asha@example.com"]]
    assert list(undelivered_mails()) == [mail]


def test_a_secret_that_was_only_slow_counts_as_sent(tenant: Any) -> None:
    with clock.frozen(NOON) as time, committed():
        mail = code()
        time.advance(days=1)
        assert give_up_lost_secrets() == 1

    mail.refresh_from_db()
    assert mail.state == MailState.SENT


def test_lost_secrets_are_looked_for_on_the_platform_and_in_every_organization(
    organization: Any, neighbour: Any
) -> None:
    places = [tenant_context(organization), tenant_context(neighbour)]
    with clock.frozen(NOON):
        for place in (*places, platform_context(reason="test")):
            with place:
                code()
    tasks.give_up_lost_secrets_everywhere()
    for organization_or_not in (organization, neighbour, None):
        with (
            tenant_context(organization_or_not)
            if organization_or_not
            else platform_context(reason="test")
        ):
            assert Mail.objects.get().state == MailState.LOST
