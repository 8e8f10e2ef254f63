from __future__ import annotations

from uuid import UUID

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.approvals import services
from tenant_apps.approvals.api.filters import ApprovalFilter
from tenant_apps.approvals.api.serializers import ApprovalOut, RecallIn, RejectionIn, SignatureIn
from tenant_apps.approvals.models import ApprovalQuerySet
from tenant_apps.approvals.selectors import approvals_visible_to, with_signatures


class ApprovalViewSet(Listing, Retrieving, OrganizationViewSet):
    """What waits for signatures, and what was approved or refused."""

    serializer_class = ApprovalOut
    input_serializers = {
        "signature": SignatureIn,
        "rejection": RejectionIn,
        "recall": RecallIn,
    }
    filterset_class = ApprovalFilter
    ordering_fields = ("created_at",)
    ordering = ("-created_at",)
    # The effect of a last signature may move money.
    money_actions = frozenset({"signature"})
    step_up_for_money = frozenset({"signature"})

    def get_queryset(self) -> ApprovalQuerySet:
        return with_signatures(approvals_visible_to(self.actor))

    @action(detail=True, methods=["post"])
    def signature(self, request: Request, pk: UUID) -> Response:
        """Sign; the last signature brings the effect about."""
        services.sign(approval_id=pk, actor=self.actor, **self.read_input())
        return self.answer(self.get_object())

    @action(detail=True, methods=["post"])
    def rejection(self, request: Request, pk: UUID) -> Response:
        """Say no, with the reason."""
        services.reject(approval_id=pk, actor=self.actor, **self.read_input())
        return self.answer(self.get_object())

    @action(detail=True, methods=["post"])
    def recall(self, request: Request, pk: UUID) -> Response:
        """Take the own request back."""
        services.recall(approval_id=pk, actor=self.actor, **self.read_input())
        return self.answer(self.get_object())
