"""Teams and offices."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from shared_apps.access.models import AccessPaths, Unit
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned


class TeamQuerySet(RecordQuerySet["Team"]):
    def open(self) -> Self:
        return self.filter(closed_at__isnull=True)


class Team(Versioned, Record):
    """People who sell together under a lead; an office is a team that is a parent of teams.

    The team's place in the tree is its unit, and its members are the memberships in that unit.
    """

    name = models.CharField(max_length=120)
    unit = models.OneToOneField(Unit, on_delete=models.PROTECT, related_name="+")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    access_paths: ClassVar[AccessPaths] = AccessPaths(owner="lead_id", unit="unit_id")

    objects = TeamQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add", "change")
        permissions = [("manage_members", "Can add people to a team and take them out")]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], name="teams_team_name", condition=Q(closed_at__isnull=True)
            ),
            models.CheckConstraint(
                name="teams_team_not_own_parent",
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("id")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.closed_at is None
