"""A provider that charges nobody: for the demo, for tests, for trying out what can go wrong.

simulator:///a/folder?seed=7&refused=5&lost_requests=2&lost_answers=3&late=3&doubled=2&delay=20

What happens to a reference follows from the seed and the reference alone: the figures are
hundredths of all references. `lost_requests` never arrive at first and `lost_answers` arrive
without a word coming back, both seen as a time-out; `late` ones are pending for a few questions;
`doubled` ones arrive twice. `delay` is the longest pause of a call, in milliseconds. What arrived
is kept in a file of the folder (the state folder, if none is named), as a provider keeps books of
its own: it survives whoever calls, and every process sees the same.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from django.conf import settings

from .base import ChargeAnswer, ChargeOrder, Outcome, TimedOut

_FAULTS = ("refused", "lost_requests", "lost_answers", "late", "doubled")
_TABLE = """
CREATE TABLE IF NOT EXISTS charges (
    reference TEXT PRIMARY KEY, phone TEXT NOT NULL, amount TEXT NOT NULL,
    currency TEXT NOT NULL, outcome TEXT NOT NULL, arrivals INTEGER NOT NULL DEFAULT 1,
    questions INTEGER NOT NULL DEFAULT 0, charged_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS lost (reference TEXT PRIMARY KEY, times INTEGER NOT NULL);
"""
_LATE_QUESTIONS = 2
_INHERITED: list[Any] = []


class Simulator:
    """Deterministic by its seed; see the module."""

    def __init__(self, url: str, key: str = "") -> None:
        # Nobody has to prove anything to it.
        del key
        parts = urlsplit(url)
        asked = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
        self.seed = asked.pop("seed", 1)
        self.delay = asked.pop("delay", 0)
        self.shares = {name: asked.pop(name, 0) for name in _FAULTS}
        if asked or sum(self.shares.values()) > 100:
            raise ValueError(f"The simulator takes seed, delay and shares of {_FAULTS}.")
        folder = unquote(parts.path).rstrip("/")
        self.folder = Path(folder) if folder else settings.STATE_DIR / "charge-simulator"
        self._local = threading.local()

    def charge(self, order: ChargeOrder) -> ChargeAnswer:
        """As a provider does, with the faults of the reference's lot."""
        self._pause(order.reference)
        lot = self.lot(order.reference)
        if lot == "lost_requests" and self._lose(order.reference):
            raise TimedOut("the request was lost")
        for _ in range(2 if lot == "doubled" else 1):
            self._arrive(order, lot)
        if lot in ("lost_answers", "late"):
            raise TimedOut("the answer was lost")
        return self._answer(order.reference)

    def status(self, reference: UUID) -> ChargeAnswer:
        """What the provider's books say; a late one becomes known after some questions."""
        self._pause(reference)
        with self._books() as books:
            books.execute(
                "UPDATE charges SET questions = questions + 1 WHERE reference = ?", [str(reference)]
            )
        return self._answer(reference)

    def reverse(self, reference: UUID) -> None:
        """Take a charge back, as the provider's own people do; it will not be billed."""
        with self._books() as books:
            books.execute(
                "UPDATE charges SET outcome = ? WHERE reference = ? AND outcome = ?",
                [Outcome.REVERSED.value, str(reference), Outcome.DELIVERED.value],
            )

    def charges(self) -> list[dict[str, Any]]:
        """The provider's books, in the order of arrival: what it will bill."""
        with self._books() as books:
            books.row_factory = sqlite3.Row
            found = [dict(row) for row in books.execute("SELECT * FROM charges ORDER BY rowid")]
            books.row_factory = None
        return found

    def lot(self, reference: UUID) -> str:
        """The fault that a reference meets, or `fine`."""
        place = self._dice("lot", reference) % 100
        for name, share in self.shares.items():
            if place < share:
                return name
            place -= share
        return "fine"

    def _dice(self, what: str, reference: UUID) -> int:
        text = f"{self.seed}:{what}:{reference}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")

    def _pause(self, reference: UUID) -> None:
        if self.delay:
            time.sleep(self._dice("delay", reference) % (self.delay + 1) / 1000)

    def _lose(self, reference: UUID) -> bool:
        """Lost once or twice, then it arrives."""
        with self._books() as books:
            (times,) = books.execute(
                "INSERT INTO lost VALUES (?, 1)"
                " ON CONFLICT (reference) DO UPDATE SET times = times + 1 RETURNING times",
                [str(reference)],
            ).fetchone()
        return bool(times <= 1 + self._dice("lost", reference) % 2)

    def _arrive(self, order: ChargeOrder, lot: str) -> None:
        outcome = Outcome.REFUSED if lot == "refused" else Outcome.DELIVERED
        with self._books() as books:
            books.execute(
                "INSERT INTO charges (reference, phone, amount, currency, outcome, charged_at)"
                " VALUES (?, ?, ?, ?, ?, datetime('now'))"
                " ON CONFLICT (reference) DO UPDATE SET arrivals = arrivals + 1",
                [
                    str(order.reference),
                    order.phone,
                    order.amount.to_string(),
                    order.amount.currency,
                    outcome.value,
                ],
            )

    def _answer(self, reference: UUID) -> ChargeAnswer:
        with self._books() as books:
            row = books.execute(
                "SELECT rowid, outcome, questions FROM charges WHERE reference = ?",
                [str(reference)],
            ).fetchone()
        if row is None:
            return ChargeAnswer(outcome=Outcome.UNHEARD)
        number, outcome, questions = row
        if self.lot(reference) == "late" and questions < _LATE_QUESTIONS:
            return ChargeAnswer(outcome=Outcome.PENDING)
        return ChargeAnswer(
            outcome=Outcome(outcome),
            provider_reference=f"SIM-{number:08d}",
            reason="the operator refused the number" if outcome == Outcome.REFUSED else "",
        )

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        """A connection of this thread and process: SQLite's survive no fork."""
        known = getattr(self._local, "books", None)
        if known is None or known[0] != os.getpid():
            # Closed here, a parent's connection would tidy up under the parent's hands.
            _INHERITED.append(known)
            self.folder.mkdir(parents=True, exist_ok=True)
            books = sqlite3.connect(
                self.folder / "charges.sqlite3", timeout=60, isolation_level=None
            )
            books.execute("PRAGMA journal_mode = WAL")
            # A simulator's books may be lost with the machine.
            books.execute("PRAGMA synchronous = OFF")
            books.executescript(_TABLE)
            known = self._local.books = (os.getpid(), books)
        yield known[1]
