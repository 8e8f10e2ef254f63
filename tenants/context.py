"""The only doors into a tenant. `with organization:` of the library is closed: it is not safe
with threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django_tenants.postgresql_backend.base import FakeTenant

from tenants.connections import connection
from tenants.errors import NoTenant

if TYPE_CHECKING:
    from tenants.models import Organization

logger = structlog.get_logger(__name__)


@contextmanager
def _state(tenant: Any) -> Iterator[None]:
    former = connection.tenant
    connection.set_tenant(tenant)
    try:
        yield
    finally:
        connection.set_tenant(former)


@contextmanager
def tenant_context(organization: "Organization") -> Iterator["Organization"]:
    """Run the block in the organization's schema and restore the former state."""
    with _state(organization):
        yield organization


@contextmanager
def platform_context(*, reason: str) -> Iterator[None]:
    """Run the block in the public schema. The reason is logged: this door is small on purpose."""
    logger.debug("platform_context", reason=reason)
    with _state(FakeTenant(schema_name="public")):
        yield


@contextmanager
def no_tenant_context() -> Iterator[None]:
    """Run the block in no tenant and restore the former state."""
    former = connection.tenant
    connection.set_no_tenant()
    try:
        yield
    finally:
        connection.set_tenant(former)


def current_organization() -> "Organization":
    """The organization that is being served on this thread.

    :raises NoTenant: no organization was chosen, or the platform was.
    """
    organization = organization_or_none()
    if organization is None:
        raise NoTenant("no organization is chosen")
    return organization


def organization_or_none() -> "Organization | None":
    """The organization that is being served on this thread, None on the platform."""
    tenant = connection.tenant
    return tenant if getattr(tenant, "id", None) is not None else None


def organization_id() -> UUID:
    """The id of the organization that is being served.

    :raises NoTenant: no organization was chosen, or the platform was.
    """
    return current_organization().id


def on_platform() -> bool:
    """Is the public schema chosen on this thread?"""
    return bool(connection.schema_name == "public")


def tenant_marker() -> str:
    """What keys, signatures and groups carry: the organization's id, or the platform's name.

    :raises NoTenant: neither was chosen.
    """
    organization = organization_or_none()
    if organization is not None:
        return str(organization.id)
    if on_platform():
        return "platform"
    raise NoTenant("neither an organization nor the platform is chosen")
