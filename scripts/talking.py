"""Talking to a running Kontor as a person's program would: HTTP, a second factor, a live socket.

`*.localhost` resolves in browsers and not in Python, so connections go to 127.0.0.1 and the
organization is named by the Host header.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import socket
import struct
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from scripts.processes import LOOPBACK

TOTP_SECONDS = 30


class Unexpected(Exception):
    """The product answered something else than it should have."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def data(self) -> Any:
        """The content as JSON."""
        return json.loads(self.content or b"null")


@dataclass
class Caller:
    """Whoever calls one host; with a token, somebody who has signed in there."""

    host: str
    port: int
    token: str = ""
    role: str = ""

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
        upload: tuple[str, bytes, str] | None = None,
    ) -> Answer:
        """Send one request; ``key`` becomes the Idempotency-Key, ``upload`` is name, bytes, type.

        :raises Unexpected: nobody answers.
        """
        headers = {"Host": f"{self.host}:{self.port}", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        content = b""
        if upload:
            content, headers["Content-Type"] = multipart(*upload)
        elif body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if query:
            path = f"{path}?{urlencode(query)}"
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
        try:
            connection.request(method, path, body=content or None, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Unexpected(f"{method} {path}: {error}") from None
        finally:
            connection.close()

    def expect(self, status: int, method: str, path: str, body: Any = None, **rest: Any) -> Answer:
        """Send one request and insist on the status of its answer.

        :raises Unexpected: it is another.
        """
        answer = self.ask(method, path, body, **rest)
        if answer.status != status:
            said = answer.content[:600].decode(errors="replace")
            raise Unexpected(
                f"{method} {path} as {self.role or 'nobody'}: {answer.status} and not {status}: "
                f"{said}"
            )
        return answer

    def get(self, path: str, **query: str) -> Any:
        """Answer the data at a path.

        :raises Unexpected: the answer is not 200.
        """
        return self.expect(200, "GET", path, query=query).data

    def post(self, path: str, body: Any = None, *, money: bool = False, status: int = 201) -> Any:
        """Post something; ``money`` routes demand an Idempotency-Key.

        :raises Unexpected: the answer has another status.
        """
        key = secrets.token_hex(16) if money else None
        return self.expect(status, "POST", path, body, key=key).data


def sign_in(*, host: str, port: int, login: Mapping[str, Any]) -> Caller:
    """Sign in with password and, where one is set up, the second factor.

    :raises Unexpected: it is refused.
    """
    caller = Caller(host, port, role=str(login.get("role", "")))
    given = {"email": login["email"], "password": login["password"]}
    answer = caller.expect(200, "POST", "/api/token/", given).data
    caller.token = answer["access"]
    if answer.get("second_factor") == "to_verify":
        show_second_factor(caller, secret=str(login["totp_secret"]))
    return caller


def show_second_factor(caller: Caller, *, secret: str) -> None:
    """Show a TOTP code. A code works once, so that a second try waits for the next one.

    :raises Unexpected: three codes in a row are refused.
    """
    path = "/api/v1/second-factor/verification/"
    for _ in range(3):
        answer = caller.ask("POST", path, {"code": totp(secret, moment=time.time())})
        if answer.status == 204:
            return
        time.sleep(TOTP_SECONDS - time.time() % TOTP_SECONDS + 0.5)
    caller.expect(204, "POST", path, {"code": totp(secret, moment=time.time())})


def totp(secret: str, *, moment: float) -> str:
    """Answer the six digits of RFC 6238 (SHA-1, 30 s) for a base-32 secret at a Unix time."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    counter = struct.pack(">Q", int(moment) // TOTP_SECONDS)
    digest = hmac.new(key, counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def multipart(name: str, content: bytes, content_type: str) -> tuple[bytes, str]:
    """Answer the body and content type of a form with one field called file."""
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def receipt_image(*, side: int = 64) -> bytes:
    """Answer a small PNG, which stands for a photographed receipt."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = b"".join(
        b"\0" + bytes((row * column) % 256 for column in range(side)) for row in range(side)
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class LiveSocket:
    """An open socket of somebody who has signed in."""

    def __init__(self, caller: Caller, *, port: int) -> None:
        # Only the check needs it, and it is not in the standard library.
        from websockets.sync.client import connect

        ticket = caller.post("/api/v1/live-tickets/", status=201)
        path = urlsplit(ticket["address"]).path
        uri = f"ws://{caller.host}:{port}{path}?{urlencode({'ticket': ticket['ticket']})}"
        line = socket.create_connection((LOOPBACK, port), timeout=10)
        self._connection = connect(uri, sock=line, open_timeout=10)

    def await_message(self, *, seconds: float, **wanted: Any) -> dict[str, Any]:
        """Answer the first message that holds the wanted values; others are passed over.

        :raises Unexpected: none comes in time.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = json.loads(self._connection.recv(timeout=left))
            except (TimeoutError, OSError) as error:
                raise Unexpected(f"the live socket said nothing of {wanted}: {error}") from None
            flat = {**message, **message.get("payment", {})}
            if all(flat.get(name) == value for name, value in wanted.items()):
                return dict(message)
        raise Unexpected(f"the live socket said nothing of {wanted} within {seconds:.0f} s")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
