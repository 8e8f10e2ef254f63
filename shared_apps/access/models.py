"""The tree of units, the roles held in it, and what scoped rows carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q, QuerySet
from guardian.models import UserObjectPermissionBase

from shared_apps.kernel.fields import CreatedAtField
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.models import Record, RecordQuerySet

MAXIMUM_DEPTH = 8


class Scope(models.TextChoices):
    """How far a grant of a role reaches."""

    OWN = "own", "Own records"
    UNIT = "unit", "Records of the unit and below"
    ORGANIZATION = "organization", "All records"


@dataclass(frozen=True, slots=True)
class AccessPaths:
    """Where the one rule finds the owner and the unit of a model's rows.

    ``owner`` and ``unit`` are lookups to the id of a user and of a unit; they may follow foreign
    keys, but only to one row (a many-valued path would list a row twice). ``unit`` may also be a
    function from the reachable units to a condition, for models that stand in several units.
    ``None`` says that rows have no owner or no unit. Object grants are found by themselves: any
    subclass of ``ObjectGrant`` whose ``content_object`` points to the model.
    """

    owner: str | None = "owner_id"
    unit: str | Callable[[QuerySet[Unit]], Q] | None = "unit_id"


class UnitKind(models.TextChoices):
    ORGANIZATION = "organization", "Organization"
    TEAM = "team", "Team"
    PARTY = "party", "Party"
    GROUP = "group", "Group"


class UnitQuerySet(RecordQuerySet["Unit"]):
    def root(self) -> Unit:
        return self.get(kind=UnitKind.ORGANIZATION)

    def below(self, paths: tuple[str, ...]) -> Self:
        """The units whose path begins with one of the given ones: those units and all below."""
        condition = Q()
        for path in paths:
            condition |= Q(path__startswith=path)
        return self.filter(condition) if paths else self.none()


class Unit(Record):
    """One place in the organization: the organization itself, a team, a party or a group.

    ``path`` joins the ids from the root down, each followed by a slash, so that "this unit and
    everything below it" is a prefix search and no recursion.
    """

    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    kind = models.CharField(max_length=16, choices=UnitKind.choices)
    name = models.CharField(max_length=120)
    path = models.TextField()

    access_paths: ClassVar[AccessPaths] = AccessPaths(owner=None, unit="id")

    objects = UnitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["path"], name="access_unit_path", opclasses=["text_pattern_ops"]
            ),
            models.UniqueConstraint(
                fields=["kind"], name="access_unit_one_root", condition=Q(kind="organization")
            ),
            models.CheckConstraint(
                name="access_unit_root_has_no_parent",
                condition=Q(kind="organization", parent__isnull=True)
                | (~Q(kind="organization") & Q(parent__isnull=False)),
            ),
        ]
        permissions = [("grant_objects", "Can give a person rights on a single record")]

    def __str__(self) -> str:
        return self.name

    @property
    def depth(self) -> int:
        return self.path.count("/")

    @property
    def is_root(self) -> bool:
        return self.kind == UnitKind.ORGANIZATION

    def path_below(self, child_id: UUID) -> str:
        return f"{self.path}{child_id.hex}/"

    def contains(self, other: Unit) -> bool:
        """Whether the other unit is this one or stands somewhere below it."""
        return other.path.startswith(self.path)


class Role(Record):
    """A named bundle of permissions, each with its scope.

    Standard roles follow the code (``bundles``) and are not edited; an organization that wants
    it otherwise adds roles of its own. A role that is ``root_only`` is held in the organization's
    own unit: its scopes are the organization, and a team would only pretend to bound them.
    """

    code = models.SlugField(max_length=40, db_index=False)
    name = models.CharField(max_length=120)
    is_standard = models.BooleanField(default=False)
    root_only = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code"], name="access_role_code")]

    def __str__(self) -> str:
        return self.name


class RolePermission(Record):
    """One permission in a role's bundle.

    With ``unless_role`` the permission holds only where nobody active holds that role: an admin
    approves exceptions only where no supervisor is.
    """

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="grants")
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=16, choices=Scope.choices)
    unless_role = models.ForeignKey(
        Role, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role", "permission"], name="access_rolepermission_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.role_id}: {self.permission_id} ({self.scope})"

    def permission_name(self) -> str:
        """Such as ``deals.view_deal``; read it with ``permission__content_type`` selected."""
        return f"{self.permission.content_type.app_label}.{self.permission.codename}"


class MembershipQuerySet(RecordQuerySet["Membership"]):
    def active(self) -> Self:
        """Memberships that give rights: neither they nor their users were deactivated."""
        return self.filter(is_active=True, user__is_active=True)


class Membership(Record):
    """A role that a person holds in a unit; ended ones stay as inactive rows."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="memberships")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="memberships")
    is_active = models.BooleanField(default=True)

    access_paths: ClassVar[AccessPaths] = AccessPaths(owner="user_id", unit="unit_id")

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "unit", "role"], name="access_membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.unit_id}"


class Scoped(models.Model):
    """Base of rows that stand in a unit and belong to a person."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")

    access_paths: ClassVar[AccessPaths] = AccessPaths()

    class Meta:
        abstract = True


class ObjectGrant(UserObjectPermissionBase):
    """Base of the tables that give one person one permission on one record.

    A model whose records can be shared declares its own table, so that the foreign key is a real
    one and the list filter stays one EXISTS::

        class DealGrant(ObjectGrant):
            content_object = models.ForeignKey(Deal, on_delete=models.CASCADE)

            class Meta(ObjectGrant.Meta):
                pass
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = CreatedAtField()
    granted_by_id = models.UUIDField(null=True)

    content_object: Any
    content_object_id: UUID

    class Meta:
        abstract = True
        # The sharing of a record is governed by access.grant_objects, not by rights on the rows.
        default_permissions: ClassVar[tuple[str, ...]] = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "permission", "content_object"], name="%(class)s_once"
            )
        ]
