"""Reads of sign-ups, on the platform."""

from typing import Any

from shared_apps.onboarding.errors import SubdomainRefused
from shared_apps.onboarding.models import HeldSubdomain
from shared_apps.onboarding.subdomains import check_subdomain, skeleton


def subdomain_availability(subdomain: str) -> dict[str, Any]:
    """Whether a subdomain can be taken, and otherwise why not."""
    detail = ""
    try:
        check_subdomain(subdomain)
    except SubdomainRefused as refused:
        detail = refused.detail
    if not detail and HeldSubdomain.objects.filter(skeleton=skeleton(subdomain)).exists():
        detail = "It is taken, or looks like one that is."
    return {"subdomain": subdomain, "available": not detail, "detail": detail}
