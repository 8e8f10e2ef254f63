"""Somebody else at the same moment: an act on a connection of its own, with a real commit."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from shared_apps.kernel.errors import DomainError
from tenants.context import tenant_context


def is_blocked(number: int) -> bool:
    """Whether the connection of this process number of the server waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [number])
        return bool(cursor.fetchone()[0])


class Other:
    """An act on a connection of its own, in a transaction of its own."""

    def __init__(self, organization: Any, act: Callable[[], object]) -> None:
        self.outcome = ""
        self._number = 0
        self._thread = threading.Thread(target=self._run, args=(organization, act))
        self._thread.start()

    def _run(self, organization: Any, act: Callable[[], object]) -> None:
        try:
            with tenant_context(organization), transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    self._number = cursor.fetchone()[0]
                act()
            self.outcome = "done"
        except DomainError as refused:
            self.outcome = refused.code
        finally:
            connection.close()

    def waits(self) -> bool:
        """Whether it comes to wait for somebody's lock; False when it ends without."""
        while self._thread.is_alive():
            if is_blocked(self._number):
                return True
            time.sleep(0.01)
        return False

    def end(self) -> str:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.outcome
