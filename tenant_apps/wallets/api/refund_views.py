"""Refunds of sold charge over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.wallets import services
from tenant_apps.wallets.api import filters
from tenant_apps.wallets.api import sale_serializers as serializers
from tenant_apps.wallets.models import ChargeRefund
from tenant_apps.wallets.selectors import refunds_visible_to


class ChargeRefundViewSet(Listing, Retrieving, OrganizationViewSet):
    """The credit of sales that is given back, or is to be."""

    queryset = ChargeRefund.objects.none()
    serializer_class = serializers.ChargeRefundOut
    input_serializers = {
        "create": serializers.ChargeRefundIn,
        "approval": serializers.ChargeRefundApprovalIn,
        "denial": serializers.ChargeRefundDenialIn,
    }
    filterset_class = filters.ChargeRefundFilter
    ordering_fields = {"created_at": "created_at", "amount": "amount_minor"}
    ordering = ("-created_at", "-id")
    money_actions = frozenset({"create", "approval"})
    step_up_for_money = frozenset({"approval"})

    def get_queryset(self) -> QuerySet[ChargeRefund]:
        return refunds_visible_to(self.actor).select_related("sale__wallet")

    def create(self, request: Request) -> Response:
        """Ask that the credit of a sold sale go back to its wallet; another person decides."""
        refund = services.request_charge_refund(actor=self.actor, **self.read_input())
        return self._shown(refund.id)

    @action(detail=True, methods=["post"])
    def approval(self, request: Request, pk: UUID) -> Response:
        """Agree: the credit goes back to the seller's wallet, once."""
        refund = services.approve_charge_refund(
            actor=self.actor,
            refund_id=pk,
            expected_version=self.expected_version(),
            **self.read_input(),
        )
        return self._shown(refund.id)

    @action(detail=True, methods=["post"])
    def denial(self, request: Request, pk: UUID) -> Response:
        """Say no, and why. Nothing is booked."""
        refund = services.deny_charge_refund(
            actor=self.actor,
            refund_id=pk,
            expected_version=self.expected_version(),
            **self.read_input(),
        )
        return self._shown(refund.id)

    @action(detail=True, methods=["post"])
    def withdrawal(self, request: Request, pk: UUID) -> Response:
        """Take back a request of one's own that nobody has decided on."""
        refund = services.withdraw_charge_refund(
            actor=self.actor, refund_id=pk, expected_version=self.expected_version()
        )
        return self._shown(refund.id)

    def _shown(self, refund_id: UUID) -> Response:
        return self.answer(self.get_queryset().get(pk=refund_id))
