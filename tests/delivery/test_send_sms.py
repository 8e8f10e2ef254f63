"""Short messages: sent once after the commit, logged without their text."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.template.exceptions import TemplateDoesNotExist
from django.test import TestCase

from shared_apps.delivery.errors import NotAPhoneNumber
from shared_apps.delivery.models import MailState, Sms
from shared_apps.delivery.services import (
    SECRETS_LOST_AFTER,
    give_up_lost_secrets,
    send_secret_sms,
)
from shared_apps.kernel import clock

PHONE = "+254712345678"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.SMS_FILE_PATH = str(tmp_path / "sms")
    return tmp_path / "sms"


class Provider:
    """Takes what is posted to it and answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.answer = 202
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                provider.heard.append((self.path, dict(self.headers), body))
                self.send_response(provider.answer)
                if provider.answer == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/messages?route=1"


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    made = Provider()
    settings.SMS_URL, settings.SMS_KEY, settings.SMS_FROM = made.url, "s3cret", "Acme"
    yield made
    made.server.shutdown()
    made.server.server_close()


def send(**values: Any) -> Sms:
    given: dict[str, Any] = {"to": PHONE, "template": "sign_in_code", **values}
    with TestCase.captureOnCommitCallbacks(execute=True):
        sms = send_secret_sms(context={"code": "918273", "minutes": 5}, **given)
    sms.refresh_from_db()
    return sms


def test_without_a_provider_it_is_a_file(tenant: Any, folder: Path) -> None:
    sms = send()
    (file,) = folder.iterdir()
    assert file.read_text().startswith(f"To: {PHONE}\n\n918273 is your sign-in code for Acme")
    assert (sms.state, sms.sent_at is not None) == (MailState.SENT, True)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_provider_is_asked_once_with_our_key(tenant: Any, provider: Provider) -> None:
    sms = send()
    ((path, headers, body),) = provider.heard
    assert path == "/messages?route=1"
    assert headers["Authorization"] == "Bearer s3cret"
    assert headers["Idempotency-Key"] == str(sms.pk)
    assert body["to"] == PHONE
    assert body["from"] == "Acme"
    assert body["reference"] == str(sms.pk)
    assert "918273" in body["text"]
    assert sms.state == MailState.SENT


@pytest.mark.parametrize("status", [302, 400, 401, 500])
def test_what_a_provider_refuses_is_failed(status: int, tenant: Any, provider: Provider) -> None:
    provider.answer = status
    sms = send()
    assert (sms.state, sms.error) == (MailState.FAILED, "shared_apps.delivery.errors.SmsRefused")
    assert len(provider.heard) == 1


def test_a_provider_that_is_not_there_is_failed(tenant: Any, settings: Any) -> None:
    settings.SMS_URL, settings.SMS_KEY = "http://127.0.0.1:1/", "s3cret"
    sms = send()
    assert (sms.state, sms.error) == (MailState.FAILED, "builtins.ConnectionRefusedError")


def test_the_text_is_stored_nowhere(tenant: Any, folder: Path) -> None:
    send()
    assert "918273" not in repr(Sms.objects.values().get())


def test_what_is_rolled_back_is_never_sent(tenant: Any, folder: Path) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        with pytest.raises(RuntimeError), transaction.atomic():
            send_secret_sms(to=PHONE, template="sign_in_code", context={"code": "1"})
            raise RuntimeError
    assert not folder.exists()
    assert not Sms.objects.exists()


@pytest.mark.parametrize(
    "number", ["0712345678", "+0712345678", "+25471", "+2547123456789012", "+254 712", "x", ""]
)
def test_what_is_no_number_is_refused(number: str, tenant: Any, folder: Path) -> None:
    with pytest.raises(NotAPhoneNumber):
        send(to=number)
    assert not Sms.objects.exists()
    assert not folder.exists()


def test_an_unknown_template_is_refused(tenant: Any) -> None:
    with pytest.raises(TemplateDoesNotExist):
        send(template="nothing")
    assert not Sms.objects.exists()


def test_what_nobody_handed_over_is_lost_in_the_end(tenant: Any) -> None:
    sms = send_secret_sms(to=PHONE, template="sign_in_code", context={"code": "1"})
    assert give_up_lost_secrets() == 0
    with clock.frozen(clock.now() + SECRETS_LOST_AFTER * 2):
        assert give_up_lost_secrets() == 1
    sms.refresh_from_db()
    assert sms.state == MailState.LOST
