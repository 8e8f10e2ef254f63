"""The bases of every view of an organization's API."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import structlog
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from shared_apps.access.actors import actor_for_request
from shared_apps.access.checker import AccessChecker
from shared_apps.access.selectors import is_administration
from shared_apps.accounts import second_factor
from shared_apps.accounts.errors import NotForApiKeys, SecondFactorEnrolmentRequired
from shared_apps.accounts.models import ApiKey, Session
from shared_apps.accounts.security import security_settings
from shared_apps.accounts.step_up import require_fresh
from shared_apps.audit.history import set_history_actor
from shared_apps.idempotency.api import IdempotentMixin
from shared_apps.kernel.actor import Actor, AllowsEverything
from shared_apps.kernel.api.views import DomainView, DomainViewSet
from shared_apps.kernel.errors import Forbidden

logger = structlog.get_logger(__name__)


class OrganizationViewMixin:
    """Signed in, second factor settled, and with an ``actor``.

    The statements of a request before its own work are two: accounts loads session and person,
    and access loads what the person's memberships give at this moment.
    """

    request: Any
    operation: Any

    permission_classes: Any = (IsAuthenticated,)

    # Operations that answer nobody who does not hold the permission at all (403). What an
    # operation needs on a single row is required by its service.
    required_permissions: ClassVar[Mapping[str, str]] = {}

    # Operations that ask for a fresh second factor (a fresh password where there is none): always,
    # and those that approve money, where the organization asks for it.
    step_up: ClassVar[frozenset[str]] = frozenset()
    step_up_for_money: ClassVar[frozenset[str]] = frozenset()

    # Operations that only a person in a session of theirs does, and no API key.
    for_people: ClassVar[frozenset[str]] = frozenset()

    @cached_property
    def actor(self) -> Actor:
        """Whoever calls, with the rights of this moment."""
        if getattr(self, "swagger_fake_view", False):
            # Nobody asks: the API only describes itself, and no row is read.
            return Actor(request_id="schema", checker=AllowsEverything())
        return actor_for_request(self.request)

    def check_permissions(self, request: Request) -> None:
        """
        :raises NotAuthenticated: nobody is signed in.
        :raises SecondFactorRequired: the person has a second factor and has not shown it.
        :raises SecondFactorEnrolmentRequired: the person administers and has none.
        :raises NotForApiKeys: an API key calls what is for people.
        :raises StepUpRequired: the operation asks for a fresh proof.
        :raises Forbidden: the operation needs a permission that the person holds nowhere.
        """
        super().check_permissions(request)  # type: ignore[misc]
        session: Any = request.auth
        if isinstance(session, ApiKey):
            # Whoever made it had shown two factors; and it carries no right to administer.
            if self.operation in self.for_people | self.step_up:
                raise NotForApiKeys
            if self.operation in self.step_up_for_money and security_settings().step_up_for_money:
                raise NotForApiKeys
        elif not second_factor.require_known(session) or second_factor.is_shown_by_message(session):
            # A code by message does for others; a role may have come since the sign-in.
            checker = self.actor.checker
            if isinstance(checker, AccessChecker) and is_administration(checker.access):
                raise SecondFactorEnrolmentRequired
        set_history_actor(self.actor)
        needed = self.required_permissions.get(self.operation)
        if needed is not None:
            self.actor.require(needed)
        if not isinstance(session, ApiKey):
            self._require_fresh(session)

    def _require_fresh(self, session: Session) -> None:
        if self.operation in self.step_up:
            require_fresh(session)
        elif self.operation in self.step_up_for_money:
            require_fresh(session, for_money=True)

    def handle_exception(self, exc: Exception) -> Any:
        """As DRF has it; who was refused what goes to the security log."""
        if isinstance(exc, Forbidden):
            # The attribute behind `auth`: a proof that was refused must not be asked for again.
            session: Any = getattr(self.request, "_auth", None)
            logger.warning(
                "permission_refused",
                code=exc.code,
                permission=exc.extra.get("permission"),
                operation=f"{type(self).__name__}.{self.operation}",
                user_id=str(session.user_id) if session is not None else None,
                session_id=str(session.pk) if session is not None else None,
            )
        return super().handle_exception(exc)  # type: ignore[misc]


class OrganizationViewSet(OrganizationViewMixin, IdempotentMixin, DomainViewSet):
    """The base of a resource of an organization."""


class OrganizationView(OrganizationViewMixin, IdempotentMixin, DomainView):
    """The base of a view of an organization with one address and no rows."""
