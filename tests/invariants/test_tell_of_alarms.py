"""An alarm reaches whoever can do something about it, once, and shows where they look."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.accounts import services as accounts
from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail
from shared_apps.kernel import clock, invariants
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.invariants import Finding, Invariant, Reading
from shared_apps.outbox.relay import relay_due
from tenant_apps.invariants.models import InvariantAlarm, InvariantCheck
from tenant_apps.invariants.services import watch
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.selectors import books_stop
from tenant_apps.ledger.services import post
from tenants.context import platform_context, tenant_context
from tests.cast import Cast, cast
from tests.invariants.conftest import sale

__all__ = ["cast"]

NAME = "tests.kettle"


class Kettle:
    """Something of the tests' own that holds, until it does not."""

    def __init__(self, concerns: str) -> None:
        self.concerns = concerns
        self.findings: list[Finding] = []

    def check(self, *, since: Any) -> Reading:
        return Reading(findings=self.findings)

    def boil_over(self, times: int = 1) -> None:
        finding = Finding(rule="water stays in", subject="kettle", detail="it is on the floor")
        self.findings = [finding] * times


@pytest.fixture(params=["ledger"])
def kettle(request: Any) -> Iterator[Kettle]:
    kettle = Kettle(request.param)
    invariants.register(
        Invariant(
            name=NAME,
            title="Water stays in the kettle.",
            concerns=kettle.concerns,
            check=kettle.check,
        )
    )
    yield kettle
    invariants.unregister(NAME)


def run() -> list[str]:
    return watch(actor=system_actor("test"), names=[NAME])


def mails() -> list[tuple[str, str]]:
    return sorted(Mail.objects.values_list("to", "template"))


def test_admins_and_super_admins_are_told_once(cast: Cast, kettle: Kettle) -> None:
    with platform_context(reason="test"):
        accounts.create_super_admin(
            email="root@kontor.test", full_name="Root", password="a quiet evening",
            actor=system_actor("test"),
        )  # fmt: skip
    kettle.boil_over(times=60)
    for _ in range(3):
        assert run() == [NAME]
        relay_due()
    assert mails() == [("ada@acme.test", "invariant_broken")]
    mail = Mail.objects.get()
    assert "Water stays in the kettle." in mail.subject
    assert "it is on the floor" in mail.text
    assert "50 findings" in mail.text
    assert "nothing is written into your books" in mail.text
    with platform_context(reason="test"):
        (told,) = mails()
        assert told == ("root@kontor.test", "invariant_broken_platform")
        text = Mail.objects.get().text
        assert "Acme Trading (acme.kontor.test)" in text
        assert "it is on the floor" not in text, "what the books say is the organization's affair"


def test_admins_see_state_findings_and_since_when(cast: Cast, kettle: Kettle) -> None:
    kettle.boil_over()
    run()
    (row,) = [
        row
        for row in cast.api("ada").get("invariants/?page_size=100").json()["results"]
        if row["name"] == NAME
    ]
    assert (row["state"], row["title"]) == ("red", "Water stays in the kettle.")
    assert row["red_since"]
    assert row["is_late"] is False
    assert row["findings"] == [
        {"rule": "water stays in", "subject": "kettle", "detail": "it is on the floor"}
    ]
    kettle.findings = []
    run()
    (alarm,) = cast.api("ada").get("invariants/alarms/").json()["results"]
    assert alarm["invariant"] == NAME
    assert alarm["closed_at"]


def test_a_post_is_answered_409_and_reads_and_other_writes_go_on(
    cast: Cast, kettle: Kettle
) -> None:
    kettle.boil_over()
    run()
    ada = cast.api("ada")
    journal = {
        "effective_on": "2026-03-10",
        "memo": "By hand",
        "lines": [
            {"account_code": code, "side": side, "amount": {"amount": "1.00", "currency": "KES"}}
            for code, side in (("1000", "debit"), ("3100", "credit"))
        ],
    }
    key = str(uuid4())
    refused = ada.post("ledger/journals/", journal, key=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "books_stopped")
    assert not Transfer.objects.exists()
    assert ada.get("ledger/trial-balance/").status_code == 200
    assert cast.api("olga").post("clients/", {"name": "Fresh"}).status_code == 201
    stop = ada.get("ledger/stop/").json()
    assert (stop["is_stopped"], stop["invariant"]) == (True, NAME)

    early = ada.post("ledger/restart/", {"reason": "Now."})
    assert (early.status_code, early.json()["code"]) == (409, "books_do_not_hold")
    assert early.json()["invariants"] == [NAME]
    kettle.findings = []
    run()
    assert ada.post("ledger/journals/", journal, key=key).status_code == 409
    started = ada.post("ledger/restart/", {"reason": "Mopped up."})
    assert (started.status_code, started.json()["is_stopped"]) == (201, False)
    entry = AuditEntry.objects.get(event_name="ledger.postings_started")
    assert (entry.payload["reason"], entry.actor_user_id) == ("Mopped up.", cast.user("ada").pk)
    assert ada.post("ledger/journals/", journal, key=key).status_code == 201, "same key, now done"


@pytest.mark.parametrize("kettle", ["kitchen"], indirect=True)
def test_what_does_not_concern_the_ledger_stops_nothing(cast: Cast, kettle: Kettle) -> None:
    kettle.boil_over()
    assert run() == [NAME]
    assert books_stop() is None


def test_the_neighbour_is_not_stopped(cast: Cast, kettle: Kettle, neighbour: Any) -> None:
    actor: Actor = system_actor("test")
    kettle.boil_over()
    run()
    assert books_stop() is not None
    with tenant_context(neighbour):
        assert books_stop() is None
        assert not InvariantCheck.objects.red().exists()
        assert not InvariantAlarm.objects.exists()
        post(postings=[sale(uuid4())], actor=actor)
        assert Transfer.objects.count() == 1


def test_the_watermark_stays_while_something_is_found(tenant: Any, kettle: Kettle) -> None:
    seen: list[Any] = []

    def check(*, since: Any) -> Reading:
        seen.append(since)
        return Reading(findings=kettle.findings, watermark={"up_to": len(seen)})

    invariants.register(Invariant(name=NAME, title="", concerns="kitchen", check=check))
    run()
    run()
    kettle.boil_over()
    run()
    run()
    kettle.findings = []
    run()
    run()
    assert seen == [None, {"up_to": 1}, {"up_to": 2}, {"up_to": 2}, {"up_to": 2}, {"up_to": 5}]


def test_sweeps_come_the_rarer_the_longer_they_take(tenant: Any, kettle: Kettle) -> None:
    began = clock.now()
    swept = []
    for seconds, minutes in ((0.001, 9), (0.001, 11), (0.5, 80), (0.5, 84), (60, 1430), (60, 1441)):
        run()
        InvariantCheck.objects.update(
            swept_at=began, sweep_microseconds=int(seconds * 1_000_000), checked_at=began
        )
        with clock.frozen(began) as at:
            at.advance(minutes=minutes)
            run()
        swept.append(InvariantCheck.objects.get(name=NAME).swept_at != began)
    assert swept == [False, True, False, True, False, True]


def test_a_check_that_fails_keeps_its_state_and_takes_no_other_along(
    tenant: Any, kettle: Kettle
) -> None:
    def fail(*, since: Any) -> Reading:
        raise RuntimeError("the kettle cannot be found")

    broken = "tests.broken"
    invariants.register(Invariant(name=broken, title="", concerns="kitchen", check=fail))
    try:
        kettle.boil_over()
        assert watch(actor=system_actor("test"), names=[broken, NAME]) == [NAME]
        check = InvariantCheck.objects.get(name=broken)
        assert check.state == "green"
        assert check.is_late(at=clock.now()), "it was never checked"
    finally:
        invariants.unregister(broken)
