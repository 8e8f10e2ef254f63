"""The bases of every view of an organization's API."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from shared_apps.access.actors import actor_for_request
from shared_apps.access.checker import AccessChecker
from shared_apps.access.selectors import is_administration
from shared_apps.accounts.errors import SecondFactorEnrolmentRequired, SecondFactorRequired
from shared_apps.audit.history import set_history_actor
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.api.views import DomainView, DomainViewMixin, DomainViewSet


class OrganizationViewMixin(DomainViewMixin):
    """Signed in, second factor settled, and with an ``actor``.

    The statements of a request before its own work are two: accounts loads session and person,
    and access loads what the person's memberships give at this moment.
    """

    permission_classes: Any = (IsAuthenticated,)

    @cached_property
    def actor(self) -> Actor:
        """Whoever calls, with the rights of this moment."""
        if getattr(self, "swagger_fake_view", False):
            return Actor(request_id="schema")
        return actor_for_request(self.request)

    def check_permissions(self, request: Request) -> None:
        """
        :raises NotAuthenticated: nobody is signed in.
        :raises SecondFactorRequired: the person has a second factor and has not shown it.
        :raises SecondFactorEnrolmentRequired: the person administers and has none.
        """
        super().check_permissions(request)  # type: ignore[misc]
        session = request.auth
        if session.second_factor_at is None:
            if session.user.second_factor_enrolled_at is not None:
                raise SecondFactorRequired
            checker = self.actor.checker
            if isinstance(checker, AccessChecker) and is_administration(checker.access):
                raise SecondFactorEnrolmentRequired
        set_history_actor(self.actor)


class OrganizationViewSet(OrganizationViewMixin, DomainViewSet):
    """The base of a resource of an organization."""


class OrganizationView(OrganizationViewMixin, DomainView):
    """The base of a view of an organization with one address and no rows."""
