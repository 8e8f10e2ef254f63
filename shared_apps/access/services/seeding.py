"""What an organization's schema needs of access before anybody can work in it."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from tenants.models import Organization

from ..bundles import ADMIN
from ..events import UnitCreated
from ..models import Membership, Unit, UnitKind
from .memberships import place_member
from .roles import sync_standard_roles


@transaction.atomic
def seed_access(organization: Organization, *, actor: Actor) -> None:
    """Step: the root unit, which bears the organization's name, and the standard roles.

    It may run again: what stands is left alone.
    """
    if not Unit.objects.filter(kind=UnitKind.ORGANIZATION).exists():
        root = Unit(
            kind=UnitKind.ORGANIZATION, name=organization.name[:120], created_by_id=actor.user_id
        )
        root.path = f"{root.pk.hex}/"
        root.save(force_insert=True)
        audit.record(UnitCreated(subject_id=root.pk, kind=root.kind, parent_id=None), actor=actor)
    sync_standard_roles(actor=actor)


@transaction.atomic
def install_first_admin(*, user_id: UUID, actor: Actor) -> Membership:
    """Step: make the person who signed the organization up its admin.

    :raises NotFound: there is no such person.
    :raises AlreadyMember: the person is an admin already.
    """
    return place_member(actor=actor, user_id=user_id, unit=Unit.objects.root(), role=ADMIN)
