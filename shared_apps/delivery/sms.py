"""How a short message leaves: through a provider over HTTP, or into a folder.

A provider is asked by one POST of `{"to", "from", "text", "reference"}` with the bearer key of the
settings, and answers any 2xx when it has taken the message over. The reference is also sent as
Idempotency-Key, so that a provider that keeps them never sends one twice.
"""

from __future__ import annotations

import http.client
import json
import ssl
import uuid
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from shared_apps.kernel import clock

from .errors import SmsRefused


class Sender(Protocol):
    def send(self, *, to: str, text: str, reference: UUID) -> None:
        """Hand one message over.

        :raises SmsRefused: it was not taken.
        :raises OSError: nobody knows.
        """


class FolderSender:
    """Writes ``<time>-<number>-<random>.txt`` into SMS_FILE_PATH, whole or not at all."""

    def send(self, *, to: str, text: str, reference: UUID) -> None:
        folder = Path(settings.SMS_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        moment = clock.now().strftime("%Y%m%dT%H%M%S.%fZ")
        path = folder / f"{moment}-{to}-{uuid.uuid4().hex[:8]}.txt"
        unfinished = path.with_suffix(".part")
        unfinished.write_text(f"To: {to}\n\n{text}\n", encoding="utf-8")
        unfinished.chmod(0o600)
        unfinished.rename(path)


class HttpSender:
    """Speaks to the provider at SMS_URL; no redirect is followed."""

    def send(self, *, to: str, text: str, reference: UUID) -> None:
        parts = urlsplit(settings.SMS_URL)
        is_secure = parts.scheme == "https"
        body = {"to": to, "from": settings.SMS_FROM, "text": text, "reference": str(reference)}
        headers = {
            "Authorization": f"Bearer {settings.SMS_KEY}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(reference),
            "User-Agent": "Kontor",
        }
        connection: http.client.HTTPConnection
        if is_secure:
            connection = http.client.HTTPSConnection(
                parts.hostname or "",
                parts.port or 443,
                timeout=settings.SMS_TIMEOUT,
                context=ssl.create_default_context(),
            )
        else:
            connection = http.client.HTTPConnection(
                parts.hostname or "", parts.port or 80, timeout=settings.SMS_TIMEOUT
            )
        try:
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request("POST", path, body=json.dumps(body).encode(), headers=headers)
            status = connection.getresponse().status
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise SmsRefused(f"the provider answered {status}")


def sender() -> Sender:
    """Whoever the setting SMS_URL names."""
    scheme = settings.SMS_URL.partition("://")[0] if settings.SMS_URL else "folder"
    made: Sender = import_string(settings.SMS_SENDERS[scheme])()
    return made


def can_be_sent() -> bool:
    """Whether short messages reach phones here: people's codes must not end in a folder."""
    return bool(settings.SMS_URL) or settings.SMS_INTO_FOLDER
