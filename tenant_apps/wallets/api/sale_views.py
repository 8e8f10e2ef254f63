"""Sales of phone charge, operators, batches and reconciliations over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.idempotency.api.views import DRY_RUN_HEADER, REPLAYED_HEADER
from shared_apps.kernel.api.parsers import UploadParser
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.wallets import services, tasks
from tenant_apps.wallets.api import filters
from tenant_apps.wallets.api import sale_serializers as serializers
from tenant_apps.wallets.models import (
    BatchRowState,
    ChargeBatch,
    ChargeBatchRow,
    ChargeSale,
    MatchResult,
    Operator,
    ProviderReconciliation,
    ReconciledRow,
)
from tenant_apps.wallets.selectors import (
    batches_visible_to,
    operators_visible_to,
    reconciliations_visible_to,
    sales_visible_to,
)


class OperatorViewSet(Listing, Retrieving, OrganizationViewSet):
    """Whose number a phone number is, by its beginning."""

    queryset = Operator.objects.none()
    serializer_class = serializers.OperatorOut
    input_serializers = {
        "create": serializers.OperatorIn,
        "partial_update": serializers.OperatorChangeIn,
    }
    required_permissions = {
        "list": "wallets.view_operator",
        "retrieve": "wallets.view_operator",
        "create": "wallets.add_operator",
        "partial_update": "wallets.change_operator",
    }
    filterset_class = filters.OperatorFilter
    ordering_fields = ("code",)
    ordering = ("code", "id")

    def get_queryset(self) -> QuerySet[Operator]:
        return operators_visible_to(self.actor).prefetch_related("prefixes")

    def create(self, request: Request) -> Response:
        """Add an operator with the beginnings of its numbers."""
        operator = services.add_operator(actor=self.actor, **self.read_input())
        return self._shown(operator.id)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change name or prefixes, or whether the operator's numbers are charged."""
        operator = services.change_operator(
            actor=self.actor,
            operator_id=pk,
            changes=self.read_input(),
            expected_version=self.expected_version(),
        )
        return self._shown(operator.id)

    def _shown(self, operator_id: UUID) -> Response:
        return self.answer(self.get_queryset().get(pk=operator_id))


class ChargeSaleViewSet(Listing, Retrieving, OrganizationViewSet):
    """Phone charge sold from sellers' credit."""

    queryset = ChargeSale.objects.none()
    serializer_class = serializers.ChargeSaleOut
    input_serializers = {"create": serializers.ChargeSaleIn}
    filterset_class = filters.ChargeSaleFilter
    ordering_fields = {"created_at": "created_at", "amount": "amount_minor"}
    ordering = ("-created_at", "-id")
    money_actions = frozenset({"create"})
    # The sale that this request placed; a repeated one places none.
    placed: ChargeSale

    def get_queryset(self) -> QuerySet[ChargeSale]:
        return sales_visible_to(self.actor).select_related("wallet", "operator")

    def create(self, request: Request) -> Response:
        """Charge a phone number. The answer's `state` says what became of it: where it is neither
        `sold` nor `failed`, the provider is asked until it is known."""
        self.placed = services.place_charge_sale(
            actor=self.actor, sale=services.NewSale(**self.read_input())
        )
        return self.answer(self.placed)

    def perform(self, handler: Any, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The sale is placed and committed; then the provider is called, outside of it.

        What is answered, also to a repeated request, is how the sale stands after that.
        """
        placed = super().perform(handler, request, *args, **kwargs)
        if self.operation != "create" or DRY_RUN_HEADER in placed.headers:
            return placed
        sale_id = UUID(str(placed.data["id"]))
        sale = services.deliver_sale(sale_id=sale_id, actor=self.actor)
        replayed = placed.headers.get(REPLAYED_HEADER)
        if sale is None or replayed:
            sale = ChargeSale.objects.select_related("wallet", "operator").get(pk=sale_id)
        else:
            # Neither changes for a sale: what it was placed with need not be read again.
            sale.wallet, sale.operator = self.placed.wallet, self.placed.operator
        return self.answer(sale, headers={REPLAYED_HEADER: replayed} if replayed else None)


class ChargeBatchViewSet(Listing, Retrieving, OrganizationViewSet):
    """Files of numbers to be charged, each row a sale of its own."""

    queryset = ChargeBatch.objects.none()
    serializer_class = serializers.ChargeBatchOut
    input_serializers = {"create": serializers.ChargeBatchIn}
    filterset_class = filters.ChargeBatchFilter
    parser_classes = (UploadParser,)
    ordering = ("-created_at", "-id")
    money_actions = frozenset({"create"})

    def get_queryset(self) -> QuerySet[ChargeBatch]:
        return batches_visible_to(self.actor).annotate(
            **{state.value: Count("rows", filter=Q(rows__state=state)) for state in BatchRowState}
        )

    def create(self, request: Request) -> Response:
        """Upload a CSV; its sales are placed in the background, and the rows tell of each."""
        batch = services.upload_charge_batch(actor=self.actor, **self.read_input())
        transaction.on_commit(lambda: tasks.call_for_batch(batch_id=batch.id), robust=True)
        return self.answer(self.get_queryset().get(pk=batch.id))


class ChargeBatchRowViewSet(Listing, OrganizationViewSet):
    """What became of each row of a batch."""

    queryset = ChargeBatchRow.objects.none()
    serializer_class = serializers.ChargeBatchRowOut
    filterset_class = filters.ChargeBatchRowFilter
    ordering = ("line", "id")

    def get_queryset(self) -> QuerySet[ChargeBatchRow]:
        batch = batches_visible_to(self.actor).obtain(self.kwargs["batch_id"])
        return batch.rows.select_related("sale")


class ReconciliationViewSet(Listing, Retrieving, OrganizationViewSet):
    """The provider's files, compared with the sales."""

    queryset = ProviderReconciliation.objects.none()
    serializer_class = serializers.ReconciliationOut
    input_serializers = {"create": serializers.ReconciliationIn}
    required_permissions = {
        "list": "wallets.view_providerreconciliation",
        "retrieve": "wallets.view_providerreconciliation",
        "create": "wallets.add_providerreconciliation",
    }
    parser_classes = (UploadParser,)
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[ProviderReconciliation]:
        return reconciliations_visible_to(self.actor).annotate(
            **{result.value: Count("rows", filter=Q(rows__result=result)) for result in MatchResult}
        )

    def create(self, request: Request) -> Response:
        """Compare a file with the sales that were sent in a span of time. The same file again
        answers with the comparison that stands."""
        values = self.read_input()
        row = services.reconcile_provider_file(
            actor=self.actor, file_name=values["file"].name, **values
        )
        return self.answer(self.get_queryset().get(pk=row.id))


class ReconciledRowViewSet(Listing, OrganizationViewSet):
    """The rows of a comparison with their results."""

    queryset = ReconciledRow.objects.none()
    serializer_class = serializers.ReconciledRowOut
    filterset_class = filters.ReconciledRowFilter
    required_permissions = {"list": "wallets.view_providerreconciliation"}
    ordering = ("id",)

    def get_queryset(self) -> QuerySet[ReconciledRow]:
        compared = reconciliations_visible_to(self.actor).obtain(self.kwargs["file_id"])
        return compared.rows.all()
