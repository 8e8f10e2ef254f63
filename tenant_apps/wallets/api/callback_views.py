"""Where providers of phone charge send their late answers."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.actors import system_actor
from shared_apps.kernel.api.throttling import RateLimit
from shared_apps.kernel.api.views import DomainView
from shared_apps.kernel.errors import TooLarge
from tenant_apps.wallets import errors, services
from tenant_apps.wallets.api import sale_serializers as serializers
from tenant_apps.wallets.providers import callbacks

_MESSAGE_BYTES = 16 * 1024


class SignedByProvider(BaseAuthentication):
    """Nobody is known by it; but not a word of the body is read before its signature is checked."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, None] | None:
        """
        :raises CallbackNotSigned: it bears no signature that holds.
        """
        if request.method != "POST":
            # There is no such message, and it will be told so.
            return None
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length[:9]) > _MESSAGE_BYTES:
            raise TooLarge(f"A message has at most {_MESSAGE_BYTES} bytes.")
        headers = {name: request.headers.get(name, "") for name in callbacks.HEADERS}
        if not callbacks.is_signed(body=request.body, headers=headers):
            raise errors.CallbackNotSigned
        return AnonymousUser(), None

    def authenticate_header(self, request: Request) -> str:
        return "StandardWebhooks"


class CallbackLimit(RateLimit):
    """By address: a provider has few, and what is refused now it says again."""

    name = "charge_callbacks"
    rate = "6000/minute"


class ChargeCallbackView(DomainView):
    """Late answers of the provider about sales, signed as Standard Webhooks defines."""

    authentication_classes = (SignedByProvider,)
    permission_classes = (AllowAny,)
    throttle_classes = (CallbackLimit,)
    serializer_class = None
    input_serializers = {"post": serializers.ChargeCallbackIn}
    output_serializers = {"post": None}
    success_statuses = {"post": 204}

    @extend_schema(
        operation_id="charge_callbacks_create",
        auth=[],
        parameters=[
            OpenApiParameter(name, str, OpenApiParameter.HEADER, required=True)
            for name in callbacks.HEADERS
        ],
    )
    def post(self, request: Request) -> Response:
        """Say what became of a sale. The same message again changes nothing, and neither does
        another word about a sale that has its end."""
        message = services.CallbackMessage(
            message_id=request.headers[callbacks.ID_HEADER], **self.read_input()
        )
        services.take_callback(message=message, actor=system_actor("charge provider"))
        return self.answer(None)
