"""Which organization a request reaches is decided by its host, and by nothing else."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from tenants.context import platform_context
from tenants.models import Organization, OrganizationState
from tenants.services import move_domain, remove_domain, set_state

LIST = "/api/v1/deals/"
UNKNOWN = 404


def ask(host: str | None, **extra: Any) -> Any:
    return Client(raise_request_exception=False).get(LIST, HTTP_HOST=host, **extra)


def reaches(host: str, **extra: Any) -> str:
    """Where the answer came from: nobody is signed in, so 401 is an organization's."""
    answer = ask(host, **extra)
    return {401: "organization", 403: "suspended", 404: "unknown"}[answer.status_code]


@pytest.mark.parametrize(
    "host",
    [
        "nobody.kontor.test",
        "kontor.test.evil.example",
        "acme.kontor.test.evil.example",
        "evil.example",
        "acme",
        "127.0.0.1",
        "[::1]",
        "acme.kontor.test@evil.example",
        "acme.kontor.test/evil",
        "acme.kontor.test:80:80",
        "acme..kontor.test",
        "-acme.kontor.test",
        "acme_.kontor.test",
        "acme.kontor.test,neighbour.kontor.test",
        "acme.kontor.test neighbour.kontor.test",
        "*.kontor.test",
        "t_test_acme",
        "%00.kontor.test",
        "a" * 300,
        "ácme.kontor.test",
    ],
)
def test_malformed_and_unknown_hosts_reach_nobody_and_get_one_constant_answer(
    organization: Organization, host: str
) -> None:
    answer = ask(host)
    assert answer.status_code == UNKNOWN
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.content == ask("nobody.kontor.test").content


@pytest.mark.parametrize(
    "host",
    ["acme.kontor.test", "ACME.Kontor.Test", "acme.kontor.test:8000", "acme.kontor.test."],
)
def test_one_host_is_written_in_several_ways(organization: Organization, host: str) -> None:
    assert reaches(host) == "organization"


@pytest.mark.parametrize("host", ["nobody.kontor.test", "a..b", "acme.kontor.test"])
def test_a_constant_answer_has_the_headers_of_every_answer(
    organization: Organization, host: str
) -> None:
    with platform_context(reason="test"), transaction.atomic():
        set_state(organization_id=organization.id, state=OrganizationState.SUSPENDED)
    answer = ask(host, HTTP_X_REQUEST_ID="asked-by-a-test")
    assert answer.status_code in (403, 404)
    assert answer["X-Request-Id"] == "asked-by-a-test"
    assert answer["RateLimit-Policy"] == '"api";q=1200;w=60'
    assert '"api";r=1199;' in answer["RateLimit"]
    assert '"api";r=1198;' in ask(host)["RateLimit"]
    assert answer["Cache-Control"] == "no-store"


def test_knocking_at_closed_doors_is_limited(organization: Organization, settings: Any) -> None:
    settings.API_RATE_LIMITS = {"api": "3/day"}
    answers = [ask("nobody.kontor.test").status_code for _ in range(5)]
    assert answers == [404, 404, 404, 429, 429]
    assert reaches("acme.kontor.test") == "organization"


def test_other_headers_do_not_choose(organization: Organization) -> None:
    for name in ("HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_X_ORIGINAL_HOST", "HTTP_X_HOST"):
        assert reaches("nobody.kontor.test", **{name: "acme.kontor.test"}) == "unknown"
        assert reaches("nobody.kontor.test", **{name: "host=acme.kontor.test"}) == "unknown"


def test_a_suspended_organization_is_refused_at_once_and_served_again_at_once(
    real_commits: Organization,
) -> None:
    assert reaches("acme.kontor.test") == "organization"
    for state, expected in (
        (OrganizationState.SUSPENDED, "suspended"),
        (OrganizationState.ACTIVE, "organization"),
    ):
        with platform_context(reason="test"), transaction.atomic():
            set_state(organization_id=real_commits.id, state=state)
        assert reaches("acme.kontor.test") == expected
    assert reaches("neighbour.kontor.test") == "organization"


def test_a_domain_that_moves_leads_to_the_other_organization_at_once(
    real_commits: Organization,
) -> None:
    from tests.conftest import _organization

    neighbour = _organization("neighbour")
    client = Client(raise_request_exception=False)
    assert reaches("acme.kontor.test") == "organization"
    with platform_context(reason="test"), transaction.atomic():
        move_domain(host="acme.kontor.test", organization_id=neighbour.id)
    answer = client.get(LIST, HTTP_HOST="acme.kontor.test")
    assert answer.wsgi_request.organization == neighbour


def test_a_removed_domain_leads_nowhere_at_once(real_commits: Organization) -> None:
    assert reaches("acme.kontor.test") == "organization"
    with platform_context(reason="test"), transaction.atomic():
        remove_domain(host="acme.kontor.test")
    assert reaches("acme.kontor.test") == "unknown"


def test_a_change_that_is_rolled_back_changes_nothing(real_commits: Organization) -> None:
    with pytest.raises(RuntimeError), platform_context(reason="test"), transaction.atomic():
        set_state(organization_id=real_commits.id, state=OrganizationState.SUSPENDED)
        raise RuntimeError
    assert reaches("acme.kontor.test") == "organization"


def test_a_slow_reader_does_not_restore_what_was_changed(real_commits: Organization) -> None:
    from tenants import routing
    from tenants.context import no_tenant_context

    with no_tenant_context():
        from django.db import connection

        with connection.routing_lookup():
            stale = routing._read("acme.kontor.test")
    with platform_context(reason="test"), transaction.atomic():
        set_state(organization_id=real_commits.id, state=OrganizationState.SUSPENDED)
    assert stale is not None
    values, version = stale
    routing._remember("acme.kontor.test", values, version=version)
    assert reaches("acme.kontor.test") == "suspended"


def test_the_platform_host_serves_no_organization_and_the_other_way_round(
    organization: Organization,
) -> None:
    client = Client(raise_request_exception=False)
    assert client.get(LIST, HTTP_HOST="kontor.test").status_code == 404
    assert client.get("/api/v1/plans/", HTTP_HOST="kontor.test").status_code == 200
    assert client.get("/api/v1/plans/", HTTP_HOST="acme.kontor.test").status_code == 404
    assert client.get("/admin/", HTTP_HOST="acme.kontor.test").status_code == 404


def test_after_a_request_the_connection_is_in_no_tenant(organization: Organization) -> None:
    from django.db import connection

    from tenants.errors import NoTenant

    ask("acme.kontor.test")
    assert connection.schema_name is None
    with pytest.raises(NoTenant), connection.cursor():
        pass
