"""A provider of phone charge over HTTP that charges nobody: it speaks docs/charge-provider.md.

./scripts/charge_provider [--port 8077] [--faults "seed=7&refused=4&late=3&lost_answers=2"]

It listens on loopback alone and calls back on loopback alone. The faults are those of the simulator
in the product (tenant_apps/wallets/providers/simulator.py): a lost request or answer is a
connection that ends without a word; what is late or was lost is told by a callback a little later,
what is doubled is told twice. It prints the settings by which Kontor finds it.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import http.client
import json
import os
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

import django
from django.conf import settings
from standardwebhooks import Webhook

if not settings.configured and "DJANGO_SETTINGS_MODULE" not in os.environ:
    # By itself it has no database and no organization: only what answers look like is Kontor's.
    settings.configure(INSTALLED_APPS=["django.contrib.contenttypes"])
    django.setup()

from shared_apps.kernel.money import Money
from tenant_apps.wallets.providers.base import ChargeAnswer, ChargeOrder, Outcome, TimedOut
from tenant_apps.wallets.providers.simulator import Simulator

LOOPBACK = "127.0.0.1"
USUAL_PORT = 8077
REQUEST_BYTES = 16 * 1024
CALLBACK_SECONDS = 1.0
CALLBACK_TRIES = 5
TIMEOUT_SECONDS = 30
BASE = "/v1"


def new_secret() -> str:
    """A secret to sign with, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, kw_only=True)
class Callback:
    """One message, signed when it is sent; `id` is the same however often it is."""

    url: str
    body: bytes
    id: str = field(default_factory=lambda: f"msg_{uuid4().hex}")

    def headers(self, secret: str, *, at: datetime | None = None) -> dict[str, str]:
        at = at or datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(self.id, at, self.body.decode()),
        }


class SimulatedProvider(ThreadingHTTPServer):
    """The simulator behind a socket. `with SimulatedProvider(...) as provider:` runs it."""

    daemon_threads = True

    def __init__(
        self,
        *,
        folder: str,
        faults: str = "seed=7",
        port: int = 0,
        key: str = "",
        secret: str = "",
        callback_seconds: float = CALLBACK_SECONDS,
    ) -> None:
        self.key = key or f"kontor:{secrets.token_urlsafe(24)}"
        self.secret = secret or new_secret()
        self.simulator = Simulator(f"simulator://{quote(folder)}?{faults}")
        self.callback_seconds = callback_seconds
        # What was answered to each callback, in the order of answers.
        self.told: list[tuple[str, int]] = []
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}{BASE}"

    @property
    def variables(self) -> dict[str, str]:
        """By which Kontor finds it."""
        return {
            "CHARGE_PROVIDER_URL": self.url,
            "CHARGE_PROVIDER_KEY": self.key,
            "CHARGE_CALLBACK_SECRETS": self.secret,
        }

    def __enter__(self) -> SimulatedProvider:
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def callback(self, order: Mapping[str, Any], answer: ChargeAnswer) -> Callback:
        """The message that says what became of an order."""
        body = {"organization": order["organization"], **described(order["reference"], answer)}
        return Callback(url=order["callback_url"], body=json.dumps(body).encode())

    def tell_later(self, order: Mapping[str, Any], *, times: int = 1) -> None:
        """Send the callback about an order that has arrived, when its time has come."""
        teller = threading.Timer(self.callback_seconds, self._tell, [order, times])
        teller.daemon = True
        teller.start()

    def _tell(self, order: Mapping[str, Any], times: int) -> None:
        reference = UUID(order["reference"])
        answer = ChargeAnswer(outcome=Outcome.PENDING)
        while answer.outcome == Outcome.PENDING:
            answer = self.simulator.status(reference)
        message = self.callback(order, answer)
        for _ in range(times):
            self._send(message)

    def _send(self, message: Callback) -> None:
        for attempt in range(CALLBACK_TRIES):
            status = send(message, secret=self.secret)
            self.told.append((message.id, status))
            if 200 <= status < 300:
                return
            time.sleep(self.callback_seconds * 2**attempt)


def send(message: Callback, *, secret: str, headers: Mapping[str, str] | None = None) -> int:
    """Deliver a message to this machine, whatever its address names; answer the status, 0 for
    none. The organization is named by the Host header."""
    address = urlsplit(message.url)
    connection = http.client.HTTPConnection(LOOPBACK, address.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            "POST",
            address.path,
            body=message.body,
            headers={"Host": address.netloc, **(headers or message.headers(secret))},
        )
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def described(reference: str, answer: ChargeAnswer) -> dict[str, str]:
    """An answer as it stands in a body."""
    return {
        "reference": reference,
        "outcome": answer.outcome.value,
        "provider_reference": answer.provider_reference,
        "reason": answer.reason,
    }


class _Handler(BaseHTTPRequestHandler):
    server: SimulatedProvider
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_SECONDS

    def do_POST(self) -> None:
        if not self._is_known():
            return
        order = self._order()
        if order is None:
            return
        if self.path == f"{BASE}/charges":
            self._charge(order)
        else:
            self._answer(404, {"title": "There is no such address."})

    def do_GET(self) -> None:
        if not self._is_known():
            return
        try:
            reference = UUID(self.path.removeprefix(f"{BASE}/charges/"))
        except ValueError:
            self._answer(404, {"title": "There is no such address."})
            return
        answer = self.server.simulator.status(reference)
        status = 404 if answer.outcome == Outcome.UNHEARD else 200
        self._answer(status, described(str(reference), answer))

    def _charge(self, order: dict[str, Any]) -> None:
        amount = Money.parse(order["amount"]["amount"], order["amount"]["currency"])
        reference = UUID(order["reference"])
        lot = self.server.simulator.lot(reference)
        try:
            answer = self.server.simulator.charge(
                ChargeOrder(
                    reference=reference,
                    phone=order["phone"],
                    operator=order["operator"],
                    amount=amount,
                )
            )
        except TimedOut:
            if lot != "lost_requests":
                self.server.tell_later(order)
            if lot == "late":
                pending = ChargeAnswer(outcome=Outcome.PENDING)
                self._answer(202, described(order["reference"], pending))
            else:
                # Nobody hears what became of it.
                self.close_connection = True
            return
        if lot == "doubled":
            self.server.tell_later(order, times=2)
        self._answer(200, described(order["reference"], answer))

    def _is_known(self) -> bool:
        wanted = "Basic " + base64.b64encode(self.server.key.encode()).decode()
        if hmac.compare_digest(self.headers.get("Authorization", ""), wanted):
            return True
        self._answer(401, {"title": "The key is not known."})
        return False

    def _order(self) -> dict[str, Any] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > REQUEST_BYTES:
            self._answer(413, {"title": "The request is too long."})
            return None
        try:
            order: dict[str, Any] = json.loads(self.rfile.read(int(length)))
            UUID(order["reference"])
            if self.headers.get("Idempotency-Key") != order["reference"]:
                raise ValueError("Idempotency-Key")
            for name in ("phone", "operator", "organization", "callback_url"):
                if not isinstance(order[name], str):
                    raise ValueError(name)
            Money.parse(order["amount"]["amount"], order["amount"]["currency"])
        except (ValueError, KeyError, TypeError) as problem:
            self._answer(400, {"title": f"The order is not of the form: {problem}"})
            return None
        return order

    def _answer(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Numbers of phones are nobody's business here."""


def main(arguments: list[str] | None = None) -> int:
    """Obey the command line; answer the exit code."""
    parser = argparse.ArgumentParser(
        prog="./scripts/charge_provider",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=USUAL_PORT)
    parser.add_argument("--faults", default="seed=7&refused=4&lost_answers=2&late=3&doubled=2")
    parser.add_argument("--key", default="", help="id:secret; made up unless given")
    parser.add_argument("--secret", default="", help="whsec_...; made up unless given")
    parser.add_argument("--callback-seconds", type=float, default=CALLBACK_SECONDS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kontor-provider-") as folder:
        try:
            provider = SimulatedProvider(
                folder=folder,
                faults=chosen.faults,
                port=chosen.port,
                key=chosen.key,
                secret=chosen.secret,
                callback_seconds=chosen.callback_seconds,
            )
        except (OSError, ValueError) as problem:
            print(f"error: {problem}", file=sys.stderr)
            return 1
        for name, value in provider.variables.items():
            print(f"{name}={value}", flush=True)
        try:
            provider.serve_forever()
        except KeyboardInterrupt:
            return 130
        finally:
            provider.server_close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
