"""People, invitations, and what the caller may do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access import services
from shared_apps.access.api.filters import UserFilter
from shared_apps.access.api.serializers import InvitationIn, OwnAccessOut, UserOut
from shared_apps.access.api.views import OrganizationView, OrganizationViewSet
from shared_apps.access.checker import AccessChecker
from shared_apps.access.models import Membership
from shared_apps.access.selectors import users_visible_to
from shared_apps.accounts.models import User, UserQuerySet
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.api.views import Listing, Retrieving


def people_shown_to(actor: Actor) -> UserQuerySet:
    """The visible people with their active memberships, in two statements."""
    held = Membership.objects.filter(is_active=True).select_related("role").order_by("pk")
    return users_visible_to(actor).prefetch_related(
        Prefetch("memberships", queryset=held, to_attr="held_roles")
    )


class UserViewSet(Listing, Retrieving, OrganizationViewSet):
    """The people of the organization. They are invited, deactivated and never deleted."""

    serializer_class = UserOut
    filterset_class = UserFilter
    ordering_fields = ("full_name", "email", "created_at")
    ordering = ("full_name",)
    step_up = frozenset({"reactivation", "second_factor_reset"})

    def get_queryset(self) -> QuerySet[User]:
        return people_shown_to(self.actor)

    @action(detail=True, methods=["post"])
    def deactivation(self, request: Request, pk: UUID) -> Response:
        """Close the door on a person at once."""
        services.deactivate_person(actor=self.actor, user_id=pk)
        return self.answer(self.get_object())

    @action(detail=True, methods=["post"])
    def reactivation(self, request: Request, pk: UUID) -> Response:
        """Let a deactivated person in again, with the roles held before."""
        services.reactivate_person(actor=self.actor, user_id=pk)
        return self.answer(self.get_object())

    @action(detail=True, methods=["post"], url_path="second-factor-reset")
    def second_factor_reset(self, request: Request, pk: UUID) -> Response:
        """Remove the second factor of somebody who lost the device."""
        services.reset_second_factor(actor=self.actor, user_id=pk)
        return self.answer(self.get_object())


class InvitationViewSet(OrganizationViewSet):
    """People who are asked in. An invitation is addressed by its person's id."""

    serializer_class = UserOut
    input_serializers = {"create": InvitationIn}
    # Whoever is asked in has roles, and a second factor of their own.
    step_up = frozenset({"create", "resending"})

    def get_queryset(self) -> QuerySet[User]:
        return people_shown_to(self.actor)

    def create(self, request: Request) -> Response:
        """Invite a person by mail and give the first roles."""
        given = self.read_input()
        roles = [services.FirstRole(**role) for role in given.pop("roles")]
        person = services.invite_person(actor=self.actor, roles=roles, **given)
        return self._shown(person.pk)

    @action(detail=True, methods=["post"])
    def resending(self, request: Request, pk: UUID) -> Response:
        """Mail a new link; earlier ones stop working."""
        return self._shown(services.resend_invitation(actor=self.actor, user_id=pk).pk)

    @action(detail=True, methods=["post"])
    def withdrawal(self, request: Request, pk: UUID) -> Response:
        """Make the invitation worthless."""
        return self._shown(services.withdraw_invitation(actor=self.actor, user_id=pk).pk)

    def _shown(self, user_id: UUID) -> Response:
        return self.answer(people_shown_to(self.actor).obtain(user_id))


class OwnAccessView(OrganizationView):
    """What the caller may do, for clients that show only what works."""

    serializer_class = OwnAccessOut

    def get(self, request: Request) -> Response:
        """The caller's roles and permissions, and how far each reaches."""
        return self.answer(own_access(self.actor))


def own_access(actor: Actor) -> dict[str, Any]:
    """The actor's roles and permissions as plain values."""
    reaches = actor.checker.access.reaches if isinstance(actor.checker, AccessChecker) else {}
    return {
        "user_id": actor.user_id,
        "roles": actor.roles,
        "permissions": [
            {
                "permission": permission,
                "own": reach.own,
                "everywhere": reach.everywhere,
                "units": [UUID(path.rstrip("/").rpartition("/")[2]) for path in reach.paths],
                "conditional": bool(reach.fallbacks),
            }
            for permission, reach in sorted(reaches.items())
        ],
    }
