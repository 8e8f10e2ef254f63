"""Reads of organizations, on the platform."""

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings

from tenants.context import platform_context
from tenants.models import Domain, Organization


def host_of(subdomain: str) -> str:
    """The host that a subdomain stands for."""
    return f"{subdomain}.{settings.BASE_DOMAIN}"


def organization_by_subdomain(subdomain: str) -> Organization:
    """
    :raises Organization.DoesNotExist: nobody answers there.
    """
    with platform_context(reason="find an organization by its subdomain"):
        found: Organization = Organization.objects.get(domains__domain=host_of(subdomain.lower()))
    return found


def organization_by_id(organization_id: UUID) -> Organization:
    """
    :raises Organization.DoesNotExist: there is none.
    """
    with platform_context(reason="find an organization by its id"):
        found: Organization = Organization.objects.get(id=organization_id)
    return found


def served_organizations() -> Iterator[Organization]:
    """Every organization that is not suspended; each is read before it is yielded."""
    with platform_context(reason="go through the organizations"):
        organizations = list(Organization.objects.served().order_by("id"))
    yield from organizations


def all_organizations() -> Iterator[Organization]:
    """Every organization, the suspended ones too; each is read before it is yielded."""
    with platform_context(reason="go through all organizations"):
        organizations = list(Organization.objects.order_by("id"))
    yield from organizations


def primary_host(organization: Organization) -> str:
    """The host that links into the organization are made with."""
    with platform_context(reason="make a link into the organization"):
        host: str = (
            Domain.objects.filter(tenant_id=organization.id, is_primary=True)
            .values_list("domain", flat=True)
            .get()
        )
    return host
