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

from scripts import processes
from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim
from scripts.state import PROJECT, ScriptError

ABOUT = (
    "Whole requests to sell phone charge, over HTTP through gunicorn, against the same endpoint of"
    " the same server doing nothing but authentication: hold, commit, a simulated provider without"
    " pauses, capture, commit, answer. In turn, medians of rounds; each client has a seller of its"
    " own (spread), or all sell from one wallet (hot)."
)
# No outside reference exists; the figures are told beside the floor that authentication sets.
GOALS: dict[str, Goal] = {}
HOST = "bench-ax.localhost"
PATH = "/api/v1/charge-sales/"
WORKERS, THREADS, CLIENTS = 2, 8, 16
ROUNDS, SECONDS = 5, 5.0
WARM_UP_SECONDS = 2.0


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
    line = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"]
    line += ["--workers", str(WORKERS), "--threads", str(THREADS), "--log-level", "error"]
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
    body = json.dumps(
        {
            "wallet": seller["wallet"],
            "phone": "0712345678",
            "amount": {"amount": "0.01", "currency": "KES"},
        }
    )
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
    seen: dict[str, list[tuple[float, float]]] = {"nothing": [], "spread": [], "hot": []}
    with tempfile.TemporaryDirectory(prefix="kontor-charges-") as folder:
        os.environ["CHARGE_PROVIDER_URL"] = f"simulator://{folder}?seed=1"
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
    figures: dict[str, Figure] = {}
    for name, rounds in seen.items():
        figures[f"{name}_requests_per_second"] = statistics.median(rate for rate, _ in rounds)
        figures[f"{name}_p99_milliseconds"] = statistics.median(late for _, late in rounds)
    nothing = float(figures["nothing_requests_per_second"])
    for name in ("spread", "hot"):
        figures[f"{name}_share_of_nothing"] = (
            float(figures[f"{name}_requests_per_second"]) / nothing
        )
    return figures
