"""What the standard roles may do: each app's ``permissions.py`` says it, this module collects it.

An app declares, for the roles it concerns, its permissions and their scopes::

    GRANTS = {
        "salesperson": {"deals.view_deal": "own", "deals.change_deal": "own"},
        "supervisor": {"deals.view_deal": "organization"},
        "admin": {"deals.approve_exception": "organization unless supervisor"},
    }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import module_has_submodule

from .models import Scope

ADMIN = "admin"
SUPERVISOR = "supervisor"
VERIFIER = "verifier"
TEAM_LEAD = "team_lead"
SALESPERSON = "salesperson"
SELLER = "seller"
WALLET_ADMIN = "wallet_admin"

STANDARD_ROLES: Mapping[str, str] = {
    ADMIN: "Admin",
    SUPERVISOR: "Supervisor",
    VERIFIER: "Verifier",
    TEAM_LEAD: "Team lead",
    SALESPERSON: "Salesperson",
    SELLER: "Seller",
    WALLET_ADMIN: "Wallet admin",
}

# Held in the organization's own unit only: what they give reaches the whole organization.
ROOT_ONLY = frozenset({ADMIN, SUPERVISOR, VERIFIER, WALLET_ADMIN})

_UNLESS = " unless "


@dataclass(frozen=True, slots=True)
class BundledGrant:
    """One permission of a standard role, as the code declares it."""

    permission: str
    scope: str
    unless_role: str | None = None


_granted: dict[tuple[str, str], BundledGrant] = {}


def grant(role: str, permission: str, scope: str) -> None:
    """Give a standard role a permission; ``scope`` may end in ``unless <role>``.

    :raises ImproperlyConfigured: an unknown role or scope, or another scope was declared before.
    """
    reach, _, unless = scope.partition(_UNLESS)
    unknown = [code for code in (role, unless) if code and code not in STANDARD_ROLES]
    if unknown:
        raise ImproperlyConfigured(f"{permission}: there is no standard role {unknown[0]}.")
    if reach not in Scope.values:
        raise ImproperlyConfigured(f"{permission}: there is no scope {reach!r}.")
    if unless and reach == Scope.OWN:
        raise ImproperlyConfigured(f"{permission}: own records need nobody else's absence.")
    bundled = BundledGrant(permission=permission, scope=reach, unless_role=unless or None)
    if _granted.setdefault((role, permission), bundled) != bundled:
        raise ImproperlyConfigured(f"{permission} is granted to {role} twice, differently.")


def discover() -> None:
    """Read the ``GRANTS`` of every installed app of the house that declares some."""
    for config in apps.get_app_configs():
        if not config.name.startswith(("shared_apps.", "tenant_apps.")):
            continue
        if not module_has_submodule(config.module, "permissions"):
            continue
        declared = getattr(import_module(f"{config.name}.permissions"), "GRANTS", {})
        for role, permissions in declared.items():
            for permission, scope in permissions.items():
                grant(role, permission, scope)


def standard_grants() -> dict[str, list[BundledGrant]]:
    """All grants by standard role, each role present, in a stable order."""
    discover()
    found: dict[str, list[BundledGrant]] = {role: [] for role in STANDARD_ROLES}
    for (role, _), bundled in sorted(_granted.items()):
        found[role].append(bundled)
    return found
