"""What the tenancy costs a request."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim

ABOUT = (
    "The same authenticated list of deals, answered by the same view through the whole middleware"
    " chain: once on the organization's host, once with the tenancy's part taken out (no lookup of"
    " the host, one fixed search path and role). In turn, in one process; medians."
)
GOALS = {
    "tenancy_over_plain": Goal(at_most=1.15),
    "statements_more": Goal(at_most=1),
    "statements_more_with_20_rows": Goal(at_most=0),
}
ROUNDS = 600
HOST = "bench-ax.localhost"
PATH = "/api/v1/deals/?page_size=20"


class FixedTenant:
    """Stands where the routing does: nothing is looked up and nothing is switched."""

    organization: Any = None

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        request.organization = self.organization
        return self.get_response(request)


def _client(*, plain: bool) -> Any:
    """A WSGI handler of its own, with its own middleware chain."""
    from django.conf import settings
    from django.test import Client
    from django.test.utils import override_settings

    chain = [
        "scripts.benchmarks.requests.FixedTenant"
        if plain and name == "tenants.routing.RoutingMiddleware"
        else name
        for name in settings.MIDDLEWARE
    ]
    client = Client(HTTP_HOST=HOST, raise_request_exception=False)
    with override_settings(MIDDLEWARE=chain):
        client.handler.load_middleware()
    return client


def _deals(count: int, *, owner: Any, actor: Any) -> None:
    from shared_apps.access.models import Unit
    from shared_apps.kernel.money import Money
    from tenant_apps.deals.services import NewDeal, record_deals

    unit = Unit.objects.root()
    deals = [
        NewDeal(name=f"Deal {n}", owner_id=owner, unit_id=unit.id, value=Money(100_00, "KES"))
        for n in range(count)
    ]
    record_deals(actor=actor, deals=deals)


def _ask(client: Any, headers: dict[str, str]) -> float:
    started = time.perf_counter()
    response = client.get(PATH, **headers)
    elapsed = time.perf_counter() - started
    assert response.status_code == 200, response.content
    return elapsed


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Measure; milliseconds, but for the ratio and the counts."""
    from django.db import transaction
    from django.test.utils import CaptureQueriesContext

    from shared_apps.access.actors import system_actor
    from shared_apps.accounts.models import User
    from shared_apps.accounts.services import start_session
    from shared_apps.kernel import clock
    from tenants.connections import connection
    from tenants.context import tenant_context

    progress("an organization with an admin")
    as_owner("fill", "1")
    organization, admin_id = claim(0)()
    with tenant_context(organization), transaction.atomic():
        actor = system_actor("benchmark")
        admin = User.objects.get(pk=admin_id)
        session = start_session(
            user=admin, method="credentials", actor=actor, second_factor_at=clock.now()
        )
        _deals(1, owner=admin_id, actor=actor)
    headers = {"HTTP_AUTHORIZATION": f"Bearer {session.tokens.access}"}
    tenant, plain = _client(plain=False), _client(plain=True)
    FixedTenant.organization = organization

    def statements(client: Any) -> int:
        _prepare(client is plain, organization)
        with CaptureQueriesContext(connection) as captured:
            _ask(client, headers)
        return len(captured.captured_queries)

    _ask(tenant, headers)
    with_one_row = statements(tenant)
    with tenant_context(organization):
        _deals(24, owner=admin_id, actor=actor)
    with_twenty_rows = statements(tenant)
    more = with_twenty_rows - statements(plain)

    timings: dict[str, list[float]] = {"tenant": [], "plain": []}
    for number in range(ROUNDS):
        if number % 200 == 0:
            progress(f"request {number} of {ROUNDS}")
        for name, client in (("tenant", tenant), ("plain", plain)):
            _prepare(name == "plain", organization)
            timings[name].append(_ask(client, headers))
    tenant_time = statistics.median(timings["tenant"][50:])
    plain_time = statistics.median(timings["plain"][50:])
    return {
        "tenant_milliseconds": tenant_time * 1000,
        "plain_milliseconds": plain_time * 1000,
        "tenancy_over_plain": tenant_time / plain_time,
        "statements": with_twenty_rows,
        "statements_more": more,
        "statements_more_with_20_rows": with_twenty_rows - with_one_row,
    }


def _prepare(plain: bool, organization: Any) -> None:
    """Outside the measured time: where the tenancy is taken out, the connection has been in the
    one schema for ever, and the signals that leave it are off."""
    from django.core.signals import request_finished, request_started

    from tenants.apps import leave_tenant
    from tenants.connections import connection

    for signal, name in (
        (request_started, "tenants.request_started"),
        (request_finished, "tenants.request_finished"),
    ):
        if plain:
            signal.disconnect(dispatch_uid=name)
        else:
            signal.connect(leave_tenant, dispatch_uid=name)
    if plain:
        if connection.schema_name != organization.schema_name:
            connection.set_tenant(organization)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
    else:
        connection.set_no_tenant()
