"""What lists of people, roles and audit can be narrowed to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters as filters
from django.db.models import Exists, OuterRef, QuerySet

from shared_apps.access.models import Membership, Unit
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.seals.models import Segment

_STATES = ("active", "invited", "deactivated")


class UserFilter(filters.FilterSet):
    state = filters.ChoiceFilter(
        choices=[(state, state) for state in _STATES], method="filter_state"
    )
    email = filters.CharFilter(method="filter_email", max_length=254)
    role = filters.CharFilter(method="filter_role", max_length=40)
    unit = filters.UUIDFilter(method="filter_unit")

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def filter_state(self, people: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        if value == "active":
            return people.filter(is_active=True)
        closed_out = value == "deactivated"
        return people.filter(is_active=False, deactivated_at__isnull=not closed_out)

    def filter_email(self, people: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return people.filter(email=value)

    def filter_role(self, people: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return people.filter(_holds(role__code=value))

    def filter_unit(self, people: QuerySet[User], name: str, value: UUID) -> QuerySet[User]:
        return people.filter(_holds(unit_id=value))


def _holds(**what: Any) -> Exists:
    return Exists(Membership.objects.filter(user_id=OuterRef("pk"), is_active=True, **what))


class UnitFilter(filters.FilterSet):
    parent = filters.UUIDFilter(field_name="parent_id")

    class Meta:
        model = Unit
        fields = ("kind",)


class MembershipFilter(filters.FilterSet):
    user = filters.UUIDFilter(field_name="user_id")
    unit = filters.UUIDFilter(field_name="unit_id")
    role = filters.CharFilter(field_name="role__code", max_length=40)

    class Meta:
        model = Membership
        fields = ("is_active",)


class AuditEntryFilter(filters.FilterSet):
    event = filters.CharFilter(field_name="event_name", max_length=120)
    subject_type = filters.CharFilter(max_length=100)
    subject_id = filters.UUIDFilter()
    actor = filters.UUIDFilter(field_name="actor_user_id")
    request_id = filters.CharFilter(max_length=128)

    class Meta:
        model = AuditEntry
        fields: tuple[str, ...] = ()


class SegmentFilter(filters.FilterSet):
    chain = filters.CharFilter(max_length=20)

    class Meta:
        model = Segment
        fields: tuple[str, ...] = ()


# "from" is no name that Python lets a class declare.
AuditEntryFilter.base_filters["from"] = filters.IsoDateTimeFilter(
    field_name="recorded_at", lookup_expr="gte"
)
AuditEntryFilter.base_filters["to"] = filters.IsoDateTimeFilter(
    field_name="recorded_at", lookup_expr="lt"
)
