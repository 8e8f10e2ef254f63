from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.utils.crypto import salted_hmac
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.accounts.actors import visitor
from shared_apps.idempotency.api import IdempotentMixin
from shared_apps.kernel import ids
from shared_apps.kernel.api.throttling import RateLimit
from shared_apps.kernel.api.views import DomainView
from shared_apps.onboarding import services
from shared_apps.onboarding.api.serializers import (
    LandingOut,
    SignUpIn,
    SignUpOut,
    SubdomainOut,
    VerificationIn,
)
from shared_apps.onboarding.selectors import subdomain_availability
from shared_apps.onboarding.services import SignUpFacts


class SignUpLimit(RateLimit):
    """Sign-ups send mail and hash passwords: few a visitor."""

    name = "signup"
    rate = "20/hour"


class VerificationLimit(RateLimit):
    """Each try compares a password."""

    name = "signup_verification"
    rate = "60/hour"


class SignUpRequest(IdempotentMixin, DomainView):
    """Ask for an organization. A link that proves the e-mail address is mailed."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (RateLimit, SignUpLimit)
    serializer_class = SignUpOut
    input_serializers: ClassVar[Any] = {"post": SignUpIn}
    success_statuses: ClassVar[Any] = {"post": 202}

    def key_owner(self) -> UUID | None:
        """A visitor is the address that signs up: whoever repeats a request says it again."""
        told = self.request.data
        email = told.get("admin_email") if isinstance(told, Mapping) else None
        if not isinstance(email, str):
            return None
        return ids.uuid8_from("visitor", email.strip().lower().encode("utf-8", "replace").decode())

    def key_content(self) -> str:
        """Keyed, for a password is in it: a bare hash could be guessed at by whoever reads it."""
        content = super().key_content()
        return salted_hmac("onboarding.sign_up", content, algorithm="sha256").hexdigest()

    def post(self, request: Request) -> Response:
        told = self.read_input()
        sign_up = services.request_sign_up(
            admin_name=told.pop("admin_name"),
            admin_email=told.pop("admin_email"),
            password=told.pop("password"),
            plan_code=told.pop("plan"),
            facts=SignUpFacts(**told),
            actor=visitor(request),
        )
        return self.answer(
            {
                "id": sign_up.id,
                "state": sign_up.state,
                "subdomain": sign_up.subdomain,
                "next": "Follow the link in the mail: it proves the address and opens the"
                " organization.",
            }
        )


class SignUpVerification(DomainView):
    """Follow the link: the organization is made, and the admin lands in it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (RateLimit, VerificationLimit)
    serializer_class = LandingOut
    input_serializers: ClassVar[Any] = {"post": VerificationIn}
    success_statuses: ClassVar[Any] = {"post": 200}

    def post(self, request: Request) -> Response:
        told = self.read_input()
        actor = visitor(request)
        sign_up = services.verify_sign_up(
            token=told["token"],
            password=told["password"],
            subdomain=told["subdomain"],
            actor=actor,
        )
        return self.answer(services.provision_for_visitor(sign_up_id=sign_up.id, actor=actor))


class SubdomainAvailability(DomainView):
    """Can this subdomain be taken? Asked while a visitor types."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = SubdomainOut

    def get(self, request: Request, subdomain: str) -> Response:
        return self.answer(subdomain_availability(subdomain.lower()))
