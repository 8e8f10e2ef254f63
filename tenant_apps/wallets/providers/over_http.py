"""A provider over HTTP: whoever speaks docs/charge-provider.md.

Each call has a connection of its own. On one that is kept open, nobody can tell a request that
never left from one whose answer was lost; here whatever fails before the first byte was surely
never sent, and whatever fails after it is not known.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from threading import Timer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from tenants.context import organization_id

from .base import ChargeAnswer, ChargeOrder, NeverReached, Outcome, TimedOut, Unclear
from .callbacks import callback_address
from .wire import ANSWER_BYTES, read_answer

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONNECT_SECONDS, LONGEST_CONNECT = 3, 5
ANSWER_SECONDS, LONGEST_ANSWER = 20, 20
_ANSWERED = frozenset({200, 201, 202})
_UNHEARD = 404


class HttpProvider:
    """Where a provider is and how long it is waited for: https://host/base?connect=3&answer=20."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.is_secure = parts.scheme == "https"
        if parts.scheme not in ("https", "http") or not self.host or "@" in parts.netloc:
            raise ValueError("A provider's address is https://host/base.")
        if not self.is_secure and self.host not in LOOPBACK:
            raise ValueError("Only on loopback is a provider asked without TLS.")
        if parts.fragment or ":" not in key:
            raise ValueError("A provider's address has no fragment, and its key is id:secret.")
        self.port = parts.port or (443 if self.is_secure else 80)
        self.base = parts.path.rstrip("/")
        asked = {name: float(values[0]) for name, values in parse_qs(parts.query).items()}
        self.connect_seconds = asked.pop("connect", CONNECT_SECONDS)
        self.answer_seconds = asked.pop("answer", ANSWER_SECONDS)
        if (
            asked
            or not 0 < self.connect_seconds <= LONGEST_CONNECT
            or not 0 < self.answer_seconds <= LONGEST_ANSWER
        ):
            raise ValueError(
                f"A provider is waited for {LONGEST_CONNECT} seconds at most to connect,"
                f" and {LONGEST_ANSWER} to answer."
            )
        self._authorization = f"Basic {b64encode(key.encode()).decode()}"

    def charge(self, order: ChargeOrder) -> ChargeAnswer:
        """Ask it to charge; the reference is also the key of a repeated request."""
        body = {
            "reference": str(order.reference),
            "phone": order.phone,
            "operator": order.operator,
            "amount": order.amount.to_json(),
            "organization": str(organization_id()),
            "callback_url": callback_address(),
        }
        status, answer = self._exchange("POST", "/charges", order.reference, body)
        if status not in _ANSWERED:
            raise Unclear(f"the provider answered {status}")
        said = read_answer(answer, reference=order.reference)
        if said.outcome == Outcome.UNHEARD:
            raise Unclear("the provider has never heard of what it answers")
        return said

    def status(self, reference: UUID) -> ChargeAnswer:
        """Ask what became of it. A 404 that does not name the reference is not the provider's."""
        status, answer = self._exchange("GET", f"/charges/{reference}", reference, None)
        if status not in (*_ANSWERED, _UNHEARD):
            raise Unclear(f"the provider answered {status}")
        said = read_answer(answer, reference=reference)
        if (status == _UNHEARD) != (said.outcome == Outcome.UNHEARD):
            raise Unclear(f"the provider answered {status} with {said.outcome}")
        return said

    def _exchange(
        self, method: str, path: str, reference: UUID, body: dict[str, Any] | None
    ) -> tuple[int, bytes]:
        headers = {
            "Accept": "application/json",
            "Authorization": self._authorization,
            "Connection": "close",
            "User-Agent": "Kontor",
        }
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(reference)}
        with self._connected() as connection:
            try:
                connection.request(method, self.base + path, body=content, headers=headers)
                answer = connection.getresponse()
                # No redirect is followed: what it points to is not the provider that was meant.
                return answer.status, answer.read(ANSWER_BYTES + 1)
            except (OSError, http.client.HTTPException, ValueError) as problem:
                raise TimedOut(type(problem).__qualname__) from problem

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        """A connection on which nothing was asked yet, and which ends when the time is over.

        The time-out of a socket begins anew with each byte; only cutting it off bounds the whole.
        """
        try:
            line = self._line()
        except (OSError, UnicodeError) as problem:
            raise NeverReached(type(problem).__qualname__) from problem
        cut = Timer(self.connect_seconds + self.answer_seconds, _cut, [line])
        cut.daemon = True
        cut.start()
        try:
            if isinstance(line, ssl.SSLSocket):
                self._greet(line)
            line.settimeout(self.answer_seconds)
            kind = http.client.HTTPSConnection if self.is_secure else http.client.HTTPConnection
            connection = kind(self.host, self.port)
            connection.sock = line
            yield connection
        finally:
            cut.cancel()
            line.close()

    def _line(self) -> socket.socket:
        line = socket.create_connection((self.host, self.port), self.connect_seconds)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.is_secure:
            return line
        return self._certificates.wrap_socket(
            line, server_hostname=self.host, do_handshake_on_connect=False
        )

    def _greet(self, line: ssl.SSLSocket) -> None:
        """Check who is there before a word is said."""
        try:
            line.do_handshake()
        except (OSError, ValueError) as problem:
            raise NeverReached(type(problem).__qualname__) from problem

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        # Not the method of a TLS socket: that one takes away what the other thread still reads by.
        socket.socket.shutdown(line, socket.SHUT_RDWR)
