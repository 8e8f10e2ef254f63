"""What an organization's schema needs of access before anybody can work in it."""

from __future__ import annotations

from django.db import transaction

from shared_apps.access.bundles import ROOT_ONLY, STANDARD_ROLES, standard_grants
from shared_apps.access.events import UnitCreated
from shared_apps.access.models import Unit, UnitKind
from shared_apps.access.services import sync_standard_roles
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from tenants.models import Organization


@transaction.atomic
def seed_access(organization: Organization, *, actor: Actor) -> None:
    """The root unit, which bears the organization's name.

    It may run again: what stands is left alone.
    """
    if not Unit.objects.filter(kind=UnitKind.ORGANIZATION).exists():
        root = Unit(
            kind=UnitKind.ORGANIZATION, name=organization.name[:120], created_by_id=actor.user_id
        )
        root.path = f"{root.pk.hex}/"
        root.save(force_insert=True)
        audit.record(UnitCreated(subject_id=root.pk, kind=root.kind, parent_id=None), actor=actor)


def seed_standard_roles(*, actor: Actor) -> None:
    """The standard roles as the code declares them, in a spare schema."""
    sync_standard_roles(actor=actor)


def standard_roles_version() -> str:
    """Differs whenever the standard roles do."""
    return repr((sorted(STANDARD_ROLES.items()), sorted(ROOT_ONLY), standard_grants()))
