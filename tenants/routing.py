"""From the Host header to an organization, the platform, or a constant 404."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_tenants.postgresql_backend.base import FakeTenant
from redis.exceptions import RedisError

from shared_apps.kernel.api.middleware import RateLimitMiddleware
from tenants import routing_cache
from tenants.connections import connection
from tenants.context import platform_context, tenant_context
from tenants.models import Domain, Organization

logger = structlog.get_logger(__name__)

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\Z")
_PROBLEM = "application/problem+json"
_UNKNOWN_HOST = (
    b'{"type":"https://kontor.example/errors/unknown_host","title":"Unknown host","status":404,'
    b'"detail":"No organization answers at this address.","code":"unknown_host","errors":[]}'
)
_SUSPENDED = (
    b'{"type":"https://kontor.example/errors/organization_suspended",'
    b'"title":"Organization suspended","status":403,'
    b'"detail":"This organization is suspended. Write to support to have it resumed.",'
    b'"code":"organization_suspended","errors":[]}'
)
# What a request needs of its organization: read once, cached, carried on the object.
_FIELDS = tuple(field.attname for field in Organization._meta.concrete_fields)


def host_name(request: HttpRequest) -> str | None:
    """The host that was asked for, in lower case and without its port; None where malformed."""
    try:
        raw = request.get_host()
    except DisallowedHost:
        return None
    name = raw.rsplit(":", 1)[0] if not raw.endswith("]") else raw
    name = name.lower().removesuffix(".")
    return name if HOST_NAME.match(name) else None


def _cached(host: str) -> dict[str, Any] | None:
    try:
        values = routing_cache.recall(host)
    except (RedisError, OSError):
        logger.warning("routing_cache_unreachable")
        return None
    # While a release rolls out, the other code's rows may have other fields.
    return values if not values or values.keys() == set(_FIELDS) else None


def _remember(host: str, values: dict[str, Any], *, version: int) -> bool:
    """Say it to all processes; False where Redis could not be told."""
    try:
        routing_cache.remember(host, values, version=version)
    except (RedisError, OSError):
        logger.warning("routing_cache_unreachable")
        return False
    return True


def _read(host: str) -> tuple[dict[str, Any], int] | None:
    """What a host leads to, and the version of it. The two grow by each change of one host."""
    names = [f"tenant__{name}" for name in _FIELDS]
    row = Domain.objects.filter(domain=host).values("routing_version", *names).first()
    if row is None:
        return None
    values = {name: row[f"tenant__{name}"] for name in _FIELDS}
    return values, row["routing_version"] + values["routing_version"]


def organization_for_host(host: str) -> Organization | None:
    """The organization that answers at `host`. To be called in no tenant."""
    values = _cached(host)
    if values is None:
        with connection.routing_lookup():
            found = _read(host)
        if found is None:
            return None
        values, version = found
        _remember(host, values, version=version)
    elif not values:
        return None
    organization: Organization = Organization.from_db(
        None, _FIELDS, [values[name] for name in _FIELDS]
    )
    return organization


def publish_routing(
    *, organization_id: UUID, removed_hosts: Mapping[str, int] | None = None
) -> bool:
    """Tell every process at once what the routing must know; False where Redis could not be told.

    To be called after commit, on the platform. `removed_hosts` gives each host the version of its
    removal. Whoever is not told knows by itself after `routing_cache.LIFETIME_SECONDS`.
    """
    told = [_remember(host, {}, version=version) for host, version in (removed_hosts or {}).items()]
    for host in _hosts_of(organization_id):
        found = _read(host)
        if found is not None:
            values, version = found
            told.append(_remember(host, values, version=version))
    if not all(told):
        logger.error("routing_not_told", organization=str(organization_id))
    return all(told)


def routing_is_told(*, organization_id: UUID) -> bool:
    """Whether no process can be serving an organization by former rows. On the platform.

    What is not cached is read anew, so it cannot be former.
    """
    try:
        for host in _hosts_of(organization_id):
            known = routing_cache.version_of(host)
            found = _read(host)
            if known is not None and found is not None and known < found[1]:
                return False
    except (RedisError, OSError):
        return False
    return True


def _hosts_of(organization_id: UUID) -> list[str]:
    return list(Domain.objects.filter(tenant_id=organization_id).values_list("domain", flat=True))


def constant(body: bytes, status: int) -> HttpResponse:
    # Who answers at a host may change at any moment: no cache in between keeps this.
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(body, status=status, content_type=_PROBLEM, headers=headers)


def _unknown_host(request: HttpRequest) -> HttpResponseBase:
    with platform_context(reason="count a request that leads nowhere"):
        return _counted(request, constant(_UNKNOWN_HOST, 404))


def _counted(request: HttpRequest, answer: HttpResponse) -> HttpResponseBase:
    """The answer with its rate limits: knocking at closed doors is counted like any request."""
    return RateLimitMiddleware(lambda _request: answer)(request)


class RoutingMiddleware:
    """Chooses the tenant by host. Nothing that runs before it touches the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        connection.set_no_tenant()
        host = host_name(request)
        if host is None:
            return _unknown_host(request)
        if host == settings.PUBLIC_HOST:
            request.organization = None  # type: ignore[attr-defined]
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF  # type: ignore[attr-defined]
            connection.set_tenant(FakeTenant(schema_name="public"))
            return self.get_response(request)
        organization = organization_for_host(host)
        if organization is None:
            return _unknown_host(request)
        if not organization.is_served:
            logger.info("suspended_organization_asked", organization=str(organization.id))
            with tenant_context(organization):
                return _counted(request, constant(_SUSPENDED, 403))
        request.organization = organization  # type: ignore[attr-defined]
        connection.set_tenant(organization)
        # The connection leaves the tenant at request_finished, once the body has been sent.
        return self.get_response(request)
