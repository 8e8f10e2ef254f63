"""Addresses that mails point to: pages of the organization, or of the platform."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings

from tenants.context import organization_or_none
from tenants.links import base_address
from tenants.selectors import primary_host


def link_to(path: str, *, token: str) -> str:
    """An absolute link with a secret behind `#`, where neither servers nor referrers see it."""
    organization = organization_or_none()
    host = primary_host(organization) if organization else settings.PUBLIC_HOST
    return f"{base_address(host)}/{path}#{urlencode({'token': token})}"


def name_of_place() -> str:
    """What mails call the place one is signing in to."""
    organization = organization_or_none()
    return organization.name if organization else "Kontor"
