"""The live socket, with real connections, threads and commits."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError, connection, transaction

from shared_apps.access.models import Membership
from shared_apps.access.selectors import root_unit
from shared_apps.access.services import grant_membership
from shared_apps.accounts.models import Session
from shared_apps.kernel import clock
from shared_apps.outbox.relay import relay_due
from tenant_apps.notifications import live, places, sockets
from tenant_apps.notifications.groups import payments_group
from tenant_apps.notifications.tickets import Ticket, issue_ticket
from tenant_apps.payments.services import verify_payment
from tenants import routing_cache
from tenants.context import platform_context, tenant_context
from tenants.models import OrganizationState
from tenants.selectors import organization_by_subdomain
from tenants.services import set_state
from tests import people
from tests.cast import Cast, assemble
from tests.notifications.browser_tab import BrowserTab
from tests.payments.stories import a_payment, an_open_deal

pytestmark = pytest.mark.slow

HOST = "acme.kontor.test"
HOSTS = {"t_test_acme": HOST, "t_test_neighbour": "neighbour.kontor.test"}


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 0.3)
    monkeypatch.setattr(sockets, "GATHERING_SECONDS", 0.05)
    # The threads of the pool outlive the test; their connections must not.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)


@pytest.fixture
def live_cast(real_commits: Any) -> Cast:
    return assemble()


def session_of(cast: Cast, name: str) -> Session:
    return people.session_of(cast.user(name))


def ticket_for(organization: Any, cast: Cast, session: Session) -> str:
    return issue_ticket(
        Ticket(
            organization_id=organization.id,
            user_id=session.user_id,
            session_id=session.pk,
        )
    )


def socket(ticket: str, *, host: str = HOST) -> BrowserTab:
    return BrowserTab(f"/live/?ticket={ticket}", host=host)


def play(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story on an event loop of its own, as the socket server does."""

    async def whole() -> None:
        try:
            await story()
        finally:
            await get_channel_layer().close_pools()

    asyncio.run(whole())


async def beside(organization: Any, act: Callable[[], Any]) -> Any:
    """An act of another process: on another thread, in the organization."""

    def run() -> Any:
        try:
            with tenant_context(organization):
                return act()
        finally:
            connection.close()

    return await sync_to_async(run, thread_sensitive=False)()


def test_opens_once_with_a_ticket(real_commits: Any, live_cast: Cast) -> None:
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "olga"))

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        assert await opened.hear("welcome")
        again = socket(ticket)
        assert await again.connect() == sockets.REFUSED
        await opened.say('{"type": "ping"}')
        assert await opened.hear("pong")
        await opened.leave()

    play(story)


def test_opens_at_the_own_host_alone(real_commits: Any, live_cast: Cast) -> None:
    session = session_of(live_cast, "olga")
    hosts = ("neighbour.kontor.test", "nobody.kontor.test", "kontor.test", f"{HOST}@x", "")
    tickets = {host: ticket_for(real_commits, live_cast, session) for host in hosts}

    async def story() -> None:
        for host, ticket in tickets.items():
            assert await socket(ticket, host=host).connect() == sockets.REFUSED, host

    play(story)


def test_opens_to_nobody_without_a_ticket(real_commits: Any, live_cast: Cast) -> None:
    async def story() -> None:
        for query in ("", "?ticket=", "?ticket=x", "?ticket=a&ticket=b", "?a=%ff"):
            tab = BrowserTab(f"/live/{query}", host=HOST)
            assert await tab.connect() == sockets.REFUSED, query

    play(story)


def test_does_not_open_for_a_session_that_has_ended(real_commits: Any, live_cast: Cast) -> None:
    session = session_of(live_cast, "olga")
    ticket = ticket_for(real_commits, live_cast, session)
    Session.objects.filter(pk=session.pk).update(
        revoked_at=clock.now(), revoked_reason="signed_out"
    )

    async def story() -> None:
        assert await socket(ticket).connect() == sockets.REFUSED

    play(story)


def test_tells_those_who_may_see_the_payment(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody here answers heartbeats.
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    names = ("olga", "lea", "vera", "oscar", "paul")
    tickets = {
        name: ticket_for(real_commits, live_cast, session_of(live_cast, name)) for name in names
    }
    payment = a_payment(live_cast, an_open_deal(live_cast))
    relay_due()

    def verify() -> None:
        verify_payment(actor=live_cast.actor("vera"), payment_id=payment.pk)
        relay_due()

    async def story() -> None:
        opened = {name: socket(ticket) for name, ticket in tickets.items()}
        for one in opened.values():
            assert await one.connect() is None
            assert await one.hear("welcome")
        await beside(real_commits, verify)
        for name in ("olga", "lea", "vera"):
            told = await opened[name].hear("payment_changed")
            assert told["payment"]["id"] == str(payment.pk)
            assert told["payment"]["state"] == "verified"
        await asyncio.sleep(0.4)
        for name in ("oscar", "paul"):
            assert await opened[name].hears_nothing()
        for one in opened.values():
            await one.leave()

    play(story)


def test_hears_news_however_long_it_stays_open(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = get_channel_layer()
    # The layer forgets members of a group after a day: here after a second.
    monkeypatch.setattr(layer, "group_expiry", 1)
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "olga"))
    payment = a_payment(live_cast, an_open_deal(live_cast))

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        for _ in range(9):
            await opened.hear("heartbeat")
            await opened.say('{"type": "pong"}')
        await layer.group_send(
            payments_group(organization_id=real_commits.id),
            {"type": "payment.changed", "payment": str(payment.pk)},
        )
        assert await opened.hear("payment_changed")
        await opened.leave()

    play(story)


def test_closes_when_its_session_ends(real_commits: Any, live_cast: Cast) -> None:
    session = session_of(live_cast, "olga")
    ticket = ticket_for(real_commits, live_cast, session)

    def revoke() -> None:
        Session.objects.filter(pk=session.pk).update(
            revoked_at=clock.now(), revoked_reason="signed_out"
        )

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        await beside(real_commits, revoke)
        assert await opened.closing_code() == sockets.REFUSED

    play(story)


def test_hears_at_once_that_a_session_ended(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared_apps.access.actors import actor_for_user
    from shared_apps.accounts.services import end_session

    # Without any heartbeat within the test's time.
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    session = session_of(live_cast, "olga")
    ticket = ticket_for(real_commits, live_cast, session)

    def sign_out() -> None:
        end_session(actor=actor_for_user(user_id=session.user_id), session_id=session.pk)
        relay_due()

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        await beside(real_commits, sign_out)
        assert await opened.closing_code() == sockets.REFUSED

    play(story)


def test_beats_and_closes_on_silence(real_commits: Any, live_cast: Cast) -> None:
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "olga"))

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        for _ in range(3):
            assert await opened.hear("heartbeat")
            await opened.say('{"type": "pong"}')
        assert await opened.closing_code() == sockets.SILENT

    play(story)


def test_closes_on_what_is_no_message(real_commits: Any, live_cast: Cast) -> None:
    session = session_of(live_cast, "olga")
    texts = ("", "x", "[]", "{}", '{"type": "delete"}', "[" * 900, '{"type":"ping"}' + " " * 2000)
    tickets = {text: ticket_for(real_commits, live_cast, session) for text in texts}

    async def story() -> None:
        for text, ticket in tickets.items():
            opened = socket(ticket)
            assert await opened.connect() is None
            await opened.say(text)
            assert await opened.closing_code() == sockets.MALFORMED, text

    play(story)


def test_a_person_holds_so_many_sockets_and_no_more(
    real_commits: Any, live_cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    settings.LIVE_SOCKETS_PER_PERSON = 2
    session, other = session_of(live_cast, "olga"), session_of(live_cast, "vera")
    tickets = [ticket_for(real_commits, live_cast, session) for _ in range(4)]
    others = ticket_for(real_commits, live_cast, other)

    async def story() -> None:
        first, second = socket(tickets[0]), socket(tickets[1])
        assert await first.connect() is None
        assert await second.connect() is None
        assert await socket(tickets[2]).connect() == sockets.TOO_MANY
        beside_them = socket(others)
        assert await beside_them.connect() is None
        await first.leave()
        third = socket(tickets[3])
        assert await third.connect() is None
        for one in (second, third, beside_them):
            await one.leave()

    play(story)


def test_a_place_that_nobody_keeps_is_free_again(
    real_commits: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIVE_SOCKETS_PER_PERSON = 1
    monkeypatch.setattr(places, "KEPT_SECONDS", 1)
    whose = {"organization_id": real_commits.id, "user_id": real_commits.id}
    assert places.take_place(**whose, socket="of a process that dies")
    assert not places.take_place(**whose, socket="early")
    assert places.take_place(organization_id=real_commits.id, user_id=uuid4(), socket="other")
    assert places.take_place(organization_id=uuid4(), user_id=real_commits.id, socket="other")
    time.sleep(1.2)
    assert places.take_place(**whose, socket="late")
    monkeypatch.setattr(places, "KEPT_SECONDS", 60)
    places.keep_place(**whose, socket="late")
    time.sleep(1.2)
    assert not places.take_place(**whose, socket="early")
    places.leave_place(**whose, socket="late")
    assert places.take_place(**whose, socket="early")


def test_hears_what_a_right_allows_that_came_while_it_was_open(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    person = people.make_person("Nora New")
    session = people.session_of(person)
    ticket = ticket_for(real_commits, live_cast, session)
    payment = a_payment(live_cast, an_open_deal(live_cast))
    relay_due()

    def promote() -> None:
        grant_membership(
            actor=people.machine(), user_id=person.pk, unit_id=root_unit().pk, role="verifier"
        )
        relay_due()

    def verify() -> None:
        verify_payment(actor=live_cast.actor("vera"), payment_id=payment.pk)
        relay_due()

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        assert await opened.hear("welcome")
        await beside(real_commits, promote)
        await asyncio.sleep(0.5)
        await beside(real_commits, verify)
        assert (await opened.hear("payment_changed"))["payment"]["id"] == str(payment.pk)
        await opened.leave()

    play(story)


def test_is_told_nothing_once_the_right_is_gone(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    monkeypatch.setattr(sockets, "MAXIMUM_WAITING", 0)
    person = people.make_person("Nora New", role="verifier")
    ticket = ticket_for(real_commits, live_cast, people.session_of(person))
    group = payments_group(organization_id=real_commits.id)
    payment = a_payment(live_cast, an_open_deal(live_cast))

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        assert await opened.hear("welcome")
        # Nobody tells the socket: it has to ask by itself, even before it says "read anew".
        await beside(
            real_commits, lambda: Membership.objects.filter(user=person).update(is_active=False)
        )
        for _ in range(2):
            await get_channel_layer().group_send(
                group, {"type": "payment.changed", "payment": str(payment.pk)}
            )
        await asyncio.sleep(0.4)
        assert await opened.hears_nothing()
        await opened.leave()

    play(story)


def test_a_suspended_organizations_socket_is_told_nothing_more(
    real_commits: Any, live_cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    # A test's own prefix of keys is known to its thread alone.
    prefix = f"{settings.REDIS_PREFIX}:{uuid4()}"
    monkeypatch.setattr(routing_cache, "_key", lambda host: f"{prefix}:{host}")
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "vera"))
    payment = a_payment(live_cast, an_open_deal(live_cast))

    def suspend() -> None:
        with platform_context(reason="test"), transaction.atomic():
            set_state(organization_id=real_commits.id, state=OrganizationState.SUSPENDED)

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        assert await opened.hear("welcome")
        await beside(real_commits, suspend)
        await get_channel_layer().group_send(
            payments_group(organization_id=real_commits.id),
            {"type": "payment.changed", "payment": str(payment.pk)},
        )
        assert await opened.closing_code() == sockets.REFUSED

    play(story)


def test_closes_when_the_database_is_gone(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "olga"))

    def gone(**values: Any) -> None:
        raise OperationalError("the database is gone")

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        monkeypatch.setattr(live, "present_seat", gone)
        assert await opened.closing_code() == sockets.UNAVAILABLE

    play(story)


def test_says_read_anew_when_more_changed_than_it_remembers(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MAXIMUM_WAITING", 2)
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "vera"))
    deal = an_open_deal(live_cast)

    def storm() -> None:
        for _ in range(5):
            a_payment(live_cast, deal)
        relay_due()

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        await beside(real_commits, storm)
        assert await opened.hear("refresh")
        await opened.leave()

    play(story)


def test_no_call_of_a_socket_ever_lands_in_the_neighbour(
    real_commits: Any, live_cast: Cast
) -> None:
    """Two organizations share one pool of threads, two hundred calls each, all mixed."""
    neighbour = organization_by_subdomain("neighbour")
    payment = a_payment(live_cast, an_open_deal(live_cast))
    session = session_of(live_cast, "olga")
    seats = [_seat(real_commits, session)]
    with tenant_context(neighbour):
        others = assemble()
        theirs = a_payment(others, an_open_deal(others))
        seats.append(_seat(neighbour, session_of(others, "olga")))
    both = {payment.pk, theirs.pk}

    async def ask(seat: live.Seat) -> list[dict[str, str]] | None:
        return await sockets._in_database(
            live.visible_changes,
            seat=seat,
            host=HOSTS[seat.organization.schema_name],
            payment_ids=both,
        )

    answers: list[tuple[live.Seat, list[dict[str, str]] | None]] = []

    async def story() -> None:
        asked = [seat for _ in range(200) for seat in seats]
        random.shuffle(asked)
        answers.extend(zip(asked, await asyncio.gather(*map(ask, asked)), strict=True))

    play(story)
    own = {real_commits.id: str(payment.pk), neighbour.id: str(theirs.pk)}
    assert len(answers) == 400
    for seat, seen in answers:
        assert [row["id"] for row in seen or []] == [own[seat.organization.id]]


def _seat(organization: Any, session: Session) -> live.Seat:
    return live.Seat(
        organization=organization,
        user_id=session.user_id,
        session_id=session.pk,
        socket="test",
        sees_payments=True,
    )
