"""From the Host header to an organization, the platform, or a constant 404."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_tenants.postgresql_backend.base import FakeTenant
from redis.exceptions import RedisError

from shared_apps.kernel.api.middleware import RateLimitMiddleware
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
        value: dict[str, Any] | None = caches["routing"].get(host)
    except (RedisError, OSError):
        logger.warning("routing_cache_unreachable")
        return None
    return value


def _remember(host: str, values: dict[str, Any], *, authoritative: bool) -> None:
    """Readers only add, writers overwrite: a slow reader cannot restore what a writer changed."""
    try:
        if authoritative:
            caches["routing"].set(host, values)
        else:
            caches["routing"].add(host, values)
    except (RedisError, OSError):
        logger.warning("routing_cache_unreachable")


def _read(host: str) -> dict[str, Any] | None:
    row = (
        Domain.objects.filter(domain=host).values(*(f"tenant__{name}" for name in _FIELDS)).first()
    )
    return {name: row[f"tenant__{name}"] for name in _FIELDS} if row else None


def organization_for_host(host: str) -> Organization | None:
    """The organization that answers at `host`. To be called in no tenant."""
    values = _cached(host)
    if values is None:
        with connection.routing_lookup():
            values = _read(host)
        if values is None:
            return None
        _remember(host, values, authoritative=False)
    elif not values:
        return None
    organization: Organization = Organization.from_db(
        None, _FIELDS, [values[name] for name in _FIELDS]
    )
    return organization


def publish_routing(*, organization_id: UUID, removed_hosts: tuple[str, ...] = ()) -> None:
    """Tell every process at once what the routing must know. To be called after commit, on the
    platform."""
    for host in removed_hosts:
        _remember(host, {}, authoritative=True)
    for host in Domain.objects.filter(tenant_id=organization_id).values_list("domain", flat=True):
        values = _read(host)
        if values is not None:
            _remember(host, values, authoritative=True)


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
