"""What a sale of phone charge costs, as a whole request over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from scripts import processes, serving
from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim
from scripts.state import PROJECT, ScriptError

ABOUT = (
    "Whole requests to sell phone charge, over HTTP through gunicorn, against the same endpoint of"
    " the same server doing nothing but authentication: hold, commit, a simulated provider without"
    " pauses, capture, commit, answer. In turn, medians of rounds; each client has a seller of its"
    " own (spread), or all sell from one wallet (hot)."
)
GOALS = {
    # A request that does nothing makes 3 statements and no commit, a sale 23 and three commits that
    # wait for the disk, in three transactions, because the provider is called between them.
    "statements": Goal(at_most=23),
    "spread_share_of_nothing": Goal(at_least=0.15),
    # Sales from one wallet queue while it is locked, which is the lesser part of a request.
    "hot_share_of_spread": Goal(at_least=0.6),
    # With as many waiting as there are clients, a request takes clients over requests a second on
    # the average. Nobody is to wait much longer than that.
    "spread_p99_over_mean": Goal(at_most=2.5),
    "hot_p99_over_mean": Goal(at_most=2.5),
}
HOST = "bench-ax.localhost"
PATH = "/api/v1/charge-sales/"
WORKERS, THREADS, CLIENTS = 2, 8, 16
ROUNDS, SECONDS = 7, 4.0
WARM_UP_SECONDS = 2.0

# Requests a second, and the 99th percentile in milliseconds, of each round.
Rounds = list[tuple[float, float]]


def idle() -> Any:
    """The product's WSGI application whose sale of charge ends where it would begin."""
    from django.core.wsgi import get_wsgi_application
    from rest_framework.response import Response

    application = get_wsgi_application()
    from tenant_apps.wallets.api.sale_views import ChargeSaleViewSet

    def nothing(self: Any, handler: Any, request: Any, *args: Any, **kwargs: Any) -> Response:
        # Whoever asks is known, with all rights: that is what every request pays.
        assert self.actor.user_id
        return Response({}, status=201)

    ChargeSaleViewSet.perform = nothing  # type: ignore[method-assign]
    return application


@contextmanager
def _server(application: str) -> Iterator[int]:
    port = processes.free_port(None, 0)
    settings = {"WEB_WORKERS": str(WORKERS), "WEB_THREADS": str(THREADS), "LOG_LEVEL": "error"}
    line = serving.command(
        "web", python=sys.executable, host="127.0.0.1", port=port, settings=settings
    )
    line[line.index("config.wsgi:application")] = application
    server = subprocess.Popen(line, cwd=PROJECT, env=dict(os.environ), stdout=subprocess.DEVNULL)
    try:
        _await(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/api/health/")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
    raise ScriptError("the benchmark's server does not answer")


def _client(
    port: int, seller: dict[str, str], *, until: float, took: list[float], wrong: list[str]
) -> None:
    """One keep-alive connection that asks until the round is over."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = _order(seller)
    headers = {
        "Host": HOST,
        "Authorization": f"Bearer {seller['token']}",
        "Content-Type": "application/json",
    }
    while time.perf_counter() < until:
        started = time.perf_counter()
        connection.request("POST", PATH, body, {**headers, "Idempotency-Key": str(uuid4())})
        answer = connection.getresponse()
        content = answer.read()
        took.append(time.perf_counter() - started)
        if answer.status != 201:
            wrong.append(f"{answer.status} {content[:200]!r}")
            return


def _round(port: int, sellers: list[dict[str, str]], *, seconds: float) -> tuple[float, float]:
    """Requests a second, and the 99th percentile in milliseconds."""
    took: list[float] = []
    wrong: list[str] = []
    started = time.perf_counter()
    threads = [
        threading.Thread(
            target=_client,
            args=(port, sellers[number % len(sellers)]),
            kwargs={"until": started + seconds, "took": took, "wrong": wrong},
        )
        for number in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise ScriptError(f"a request was not answered as it should: {wrong[0]}")
    elapsed = time.perf_counter() - started
    return len(took) / elapsed, statistics.quantiles(took, n=100)[98] * 1000


def _statements(seller: dict[str, str], url: str) -> int:
    """How often one sale asks the database, BEGIN and COMMIT included."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, override_settings

    from tenants import connections

    client = Client(HTTP_HOST=HOST, HTTP_AUTHORIZATION=f"Bearer {seller['token']}")
    with override_settings(CHARGE_PROVIDER_URL=url):
        # The first sale of all opens the account of what the provider will bill.
        for _ in range(2):
            connections.connection.set_no_tenant()
            with CaptureQueriesContext(connection) as captured:
                response = client.post(
                    PATH,
                    _order(seller),
                    content_type="application/json",
                    HTTP_IDEMPOTENCY_KEY=str(uuid4()),
                )
            assert response.status_code == 201, response.content
    return len(captured.captured_queries)


def _order(seller: dict[str, str]) -> str:
    amount = {"amount": "0.01", "currency": "KES"}
    return json.dumps({"wallet": seller["wallet"], "phone": "0712345678", "amount": amount})


def _market(organization: Any) -> list[dict[str, str]]:
    """A seller with credit for each client, signed in."""
    from django.db import transaction

    from shared_apps.access.actors import actor_for_user, system_actor
    from shared_apps.access.selectors import root_unit
    from shared_apps.access.services import place_member
    from shared_apps.accounts.services import NewUser, create_users, start_session
    from shared_apps.kernel import clock
    from shared_apps.kernel.money import Money
    from tenant_apps.wallets import services
    from tenants.context import tenant_context

    with tenant_context(organization), transaction.atomic():
        actor = system_actor("benchmark", quiet=True)
        services.add_operator(actor=actor, code="savanna", name="Savanna", prefixes=["+2547"])
        users = create_users(
            people=[
                NewUser(email=f"seller{number}@bench.example", full_name=f"Seller {number}")
                for number in range(CLIENTS + 1)
            ],
            actor=actor,
            quota_bypass_reason="a benchmark's crowd",
        )
        keeper, *people = users
        place_member(actor=actor, user_id=keeper.pk, unit=root_unit(), role="wallet_admin")
        sellers = []
        for user in people:
            place_member(actor=actor, user_id=user.pk, unit=root_unit(), role="seller")
            seller = services.add_seller(
                actor=actor, seller=services.NewSeller(name=user.full_name, user_id=user.pk)
            )
            wallet = services.open_wallet(actor=actor, seller_id=seller.pk, currency="KES")
            deposit = services.request_deposit(
                actor=actor,
                deposit=services.NewDeposit(
                    wallet_id=wallet.pk,
                    method="cash",
                    amount=Money(10**9, "KES"),
                    paid_on=clock.today("Africa/Nairobi"),
                ),
            )
            services.approve_deposit(actor=actor_for_user(user_id=keeper.pk), deposit_id=deposit.pk)
            session = start_session(
                user=user, method="credentials", actor=actor, second_factor_at=clock.now()
            )
            sellers.append({"wallet": str(wallet.pk), "token": session.tokens.access})
    return sellers


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Measure; requests a second, and milliseconds of the 99th percentile."""
    import tempfile

    progress("an organization with sellers")
    as_owner("fill", "1")
    organization, _ = claim(0)()
    sellers = _market(organization)
    seen: dict[str, Rounds] = {"nothing": [], "spread": [], "hot": []}
    with tempfile.TemporaryDirectory(prefix="kontor-charges-") as folder:
        os.environ["CHARGE_PROVIDER_URL"] = f"simulator://{folder}?seed=1"
        statements = _statements(sellers[0], os.environ["CHARGE_PROVIDER_URL"])
        # A line of log for each request would fill the screen, not the figures.
        os.environ["LOG_LEVEL"] = "WARNING"
        os.environ["API_RATE_LIMITS"] = '{"api": "100000000/minute"}'
        with (
            _server("scripts.benchmarks.wallet:idle()") as resting,
            _server("config.wsgi:application") as selling,
        ):
            cases = {
                "nothing": (resting, sellers),
                "spread": (selling, sellers),
                "hot": (selling, sellers[:1]),
            }
            for port, chosen in cases.values():
                _round(port, chosen, seconds=WARM_UP_SECONDS)
            for number in range(ROUNDS):
                progress(f"round {number + 1} of {ROUNDS}")
                for name, (port, chosen) in cases.items():
                    seen[name].append(_round(port, chosen, seconds=SECONDS))
    figures: dict[str, Figure] = {"statements": statements}
    for name, rounds in seen.items():
        figures[f"{name}_requests_per_second"] = statistics.median(rate for rate, _ in rounds)
        figures[f"{name}_p99_milliseconds"] = statistics.median(late for _, late in rounds)
    for name in ("spread", "hot"):
        # Ratios of one round each: what the machine does meanwhile concerns both sides.
        figures[f"{name}_share_of_nothing"] = _ratio(seen[name], seen["nothing"])
        figures[f"{name}_p99_over_mean"] = statistics.median(
            late / 1000 * rate / CLIENTS for rate, late in seen[name]
        )
    figures["hot_share_of_spread"] = _ratio(seen["hot"], seen["spread"])
    return figures


def _ratio(rounds: Rounds, reference: Rounds) -> float:
    return statistics.median(
        rate / other for (rate, _), (other, _) in zip(rounds, reference, strict=True)
    )
