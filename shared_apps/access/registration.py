"""What access tells the lower floors at start-up."""

from __future__ import annotations

from uuid import UUID

from auditlog.models import LogEntry
from django.db.models import Q, QuerySet

from shared_apps.accounts import second_factor
from shared_apps.accounts.models import ApiKey, SignInPolicy, User
from shared_apps.audit.history import track
from shared_apps.audit.models import AuditEntry
from shared_apps.seals.models import SealSetting, Segment
from tenants.context import organization_or_none
from tenants.provisioning import register_seed, register_spare_seed

from . import subscribers as subscribers
from .models import AccessPaths, Membership, Role, Unit
from .rules import UNSCOPED, register_paths
from .seeds import seed_access, seed_standard_roles, standard_roles_version
from .selectors import access_of, administers


def _users_in(units: QuerySet[Unit]) -> Q:
    members = Membership.objects.filter(is_active=True, unit__in=units.values("pk"))
    return Q(pk__in=members.values("user_id"))


def _must_prove_second_factor(user: User) -> bool:
    # The platform has no memberships; its super-admins have a policy of their own.
    return organization_or_none() is not None and administers(user_id=user.pk)


def _roles_of(user_id: UUID) -> tuple[str, ...]:
    return access_of(user_id=user_id).roles


def register() -> None:
    """Register access paths of lower floors' models, the seed and field histories."""
    register_paths(User, AccessPaths(owner="id", unit=_users_in))
    register_paths(ApiKey, AccessPaths(owner="user_id", unit=None))
    register_paths(AuditEntry, UNSCOPED)
    register_paths(LogEntry, UNSCOPED)
    register_paths(Segment, UNSCOPED)
    register_paths(SealSetting, UNSCOPED)
    second_factor.register_policy(_must_prove_second_factor)
    second_factor.register_roles(_roles_of)
    register_paths(SignInPolicy, UNSCOPED)
    register_spare_seed(
        100,
        "access.standard_roles",
        seed_standard_roles,
        version=standard_roles_version,
        renewed=True,
    )
    register_seed(100, "access", seed_access)
    # A path follows from the parents.
    track(Unit, exclude=("path",))
    track(Role)
    track(Membership)
