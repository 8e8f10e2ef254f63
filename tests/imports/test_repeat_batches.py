"""A batch that collides with people at work is begun anew, as if it had not been tried before."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from tenant_apps.dashboards.models import Rollup
from tenant_apps.dashboards.recounting import differences
from tenant_apps.deals.models import Deal, Stage
from tenant_apps.imports.models import ImportFinding, ImportRun, ImportState
from tenant_apps.imports.names import Names
from tenant_apps.imports.services import deals, running
from tenant_apps.ledger.verification import verify
from tenant_apps.parties.models import Party
from tenant_apps.payments.models import Payment
from tests.connections import Other, is_blocked
from tests.imports.books import DEALS, book, codes, make_verifier, reported, run_import


class GivenUp(Exception):
    sqlstate = "40P01"


def failing_once(act: Callable[..., Any]) -> Callable[..., Any]:
    """The act, after which the database gives the transaction up, the first time only."""
    tries: list[int] = []

    def attempt(**values: Any) -> Any:
        answer = act(**values)
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("deadlock detected") from GivenUp()
        return answer

    return attempt


@pytest.mark.parametrize("part", ["import_people", "import_clients", "import_products"])
def test_of_people_clients_and_products(
    real_commits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    make_verifier()
    monkeypatch.setattr(running, part, failing_once(getattr(running, part)))

    run = run_import(book(tmp_path / "book"))

    assert run.counts == {"recorded": 7, "unchanged": 0, "mended": 3, "refused": 0}
    assert Party.objects.filter(external_source="sales_book").count() == 3


def test_of_opportunities_with_all_that_it_learnt(
    real_commits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_verifier()
    monkeypatch.setattr(deals, "import_batch", failing_once(deals.import_batch))
    surprise = [(*DEALS[0][:3], "Surprise Ltd", *DEALS[0][4:]), *DEALS[1:]]
    spoilt = ("X1", "Nobody", *DEALS[0][2:])
    folder = book(tmp_path / "book", deals=[*surprise, spoilt])

    run = run_import(folder)

    # A client that was made in the batch that was given up is made again, under another id.
    assert Deal.objects.get(external_reference="W1").client == Party.objects.get(
        name="Surprise Ltd"
    )
    assert run.counts == {"recorded": 7, "unchanged": 0, "mended": 4, "refused": 1}
    assert {("W1", "client_made"), ("X1", "agent_unknown")} <= codes(folder)
    assert len(reported(folder)) == ImportFinding.objects.count() == 5
    assert verify().books_hold
    assert differences() == []


def test_not_for_ever(real_commits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_verifier()

    def always(**values: Any) -> Any:
        raise OperationalError("deadlock detected") from GivenUp()

    monkeypatch.setattr(deals, "import_batch", always)
    with pytest.raises(OperationalError):
        run_import(book(tmp_path / "book"))
    assert ImportRun.objects.get().state == ImportState.STOPPED


def test_meets_somebody_who_holds_what_it_wants_and_wants_what_it_holds(
    real_commits: Any, tmp_path: Path
) -> None:
    make_verifier()
    run_import(book(tmp_path / "book"))
    won = (*DEALS[4][:4], "Won", "2025-04-01", "2025-06-01", "77")
    later = book(tmp_path / "later", deals=[won if row[0] == "E1" else row for row in DEALS])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        importing = cursor.fetchone()[0]

    def colliding() -> None:
        list(Rollup.objects.order_by("pk").select_for_update())
        holds.set()
        while not is_blocked(importing):
            time.sleep(0.01)
        Deal.objects.locked_all([Deal.objects.get(external_reference="E1").pk])

    holds = threading.Event()
    somebody = Other(real_commits, colliding)
    assert holds.wait(20)

    run = run_import(later)

    assert somebody.end() == "done"
    assert (run.counts["recorded"], run.counts["unchanged"]) == (1, 6)
    assert Deal.objects.get(external_reference="E1").stage == Stage.WON
    assert Payment.objects.filter(deal__external_reference="E1").count() == 1
    assert verify().books_hold
    assert differences() == []


def test_names_that_were_learnt_last_are_forgotten() -> None:
    names = Names()
    for name in ("GTX Pro", "Basic"):
        names.add(name)
    known = len(names)
    names.add("GTXPro")
    assert names.find("gtx-pro") is None, "two could be meant"
    names.add("GTX Pro")
    names.forget_all_but(known)
    assert (names.find("gtx-pro"), names.find("GTXPro"), len(names)) == ("GTX Pro", "GTX Pro", 2)


def test_a_callers_transaction_is_not_repeated(
    real_commits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_verifier()
    monkeypatch.setattr(deals, "import_batch", failing_once(deals.import_batch))
    with pytest.raises(OperationalError), transaction.atomic():
        run_import(book(tmp_path / "book"))
    assert not Deal.objects.exists()
