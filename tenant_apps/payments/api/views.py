"""Payments over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Prefetch, QuerySet, Subquery
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.parsers import UploadParser
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments import services
from tenant_apps.payments.api import filters, serializers
from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.payments.selectors import (
    payment_invoices_visible_to,
    payments_visible_to,
    with_relations,
)


def as_shown(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """The payments with all that the API shows of them, in a fixed number of queries.

    Names of deal and payer are columns of the same query and not rows beside it: those rows are
    shown in full only when asked for, and only as far as the caller may see them.
    """
    allocations = Allocation.objects.select_related("invoice").order_by("created_at", "id")
    return (
        payments.select_related("proof", "invoice")
        .prefetch_related(Prefetch("allocations", queryset=allocations))
        .annotate(
            deal_reference=F("deal__reference"),
            client_name=F("client__name"),
            billed_client_id=Subquery(
                Invoice.objects.filter(deal_id=OuterRef("deal_id")).values("recipient_id")[:1]
            ),
        )
    )


class PaymentViewSet(Listing, Retrieving, OrganizationViewSet):
    """Money that clients paid on deals."""

    serializer_class = serializers.PaymentOut
    input_serializers = {
        "create": serializers.PaymentIn,
        "partial_update": serializers.PaymentChangeIn,
        "proof": serializers.ProofIn,
        "verification": serializers.VerificationIn,
        "rejection": serializers.RejectionIn,
    }
    filterset_class = filters.PaymentFilter
    ordering_fields = {
        "created_at": "created_at",
        "paid_on": "paid_on",
        "amount": "amount_minor",
    }
    ordering = ("-created_at", "-id")
    money_actions = frozenset({"create", "verification"})
    step_up_for_money = frozenset({"verification"})

    def get_queryset(self) -> QuerySet[Payment]:
        return with_relations(
            as_shown(payments_visible_to(self.actor)), shown=self.expanded(), actor=self.actor
        )

    def create(self, request: Request) -> Response:
        """Record a payment on a deal, before or after its invoice."""
        values = self.read_input()
        payment = services.record_payment(
            actor=self.actor,
            payment=services.NewPayment(deal_id=values.pop("deal"), **values),
        )
        return self._shown(payment.id)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Mend a payment that waits; the verifier's signature is asked for anew."""
        payment = services.amend_payment(
            actor=self.actor,
            payment_id=pk,
            changes=self.read_input(),
            expected_version=self.expected_version(),
        )
        return self._shown(payment.id)

    @action(detail=True, methods=["post"], parser_classes=[UploadParser])
    def proof(self, request: Request, pk: UUID) -> Response:
        """Keep a receipt (image or PDF) with a payment that waits, in place of the one before."""
        payment = services.attach_proof(
            actor=self.actor,
            payment_id=pk,
            file=self.read_input()["file"],
            expected_version=self.expected_version(),
        )
        return self._shown(payment.id)

    @action(detail=True, methods=["post"])
    def verification(self, request: Request, pk: UUID) -> Response:
        """Verify a payment: it is booked, used for its deal's invoice, and earns commission.

        What no invoice takes stays `unapplied`, with the reason.
        """
        payment = services.verify_payment(
            actor=self.actor,
            payment_id=pk,
            expected_version=self.expected_version(),
            **self.read_input(),
        )
        return self._shown(payment.id)

    @action(detail=True, methods=["post"])
    def rejection(self, request: Request, pk: UUID) -> Response:
        """Reject a payment, with remarks. Nothing is booked."""
        payment = services.reject_payment(
            actor=self.actor,
            payment_id=pk,
            expected_version=self.expected_version(),
            **self.read_input(),
        )
        return self._shown(payment.id)

    @action(detail=True, methods=["post"])
    def withdrawal(self, request: Request, pk: UUID) -> Response:
        """Take back a payment that one recorded and nobody has decided on."""
        payment = services.withdraw_payment(
            actor=self.actor, payment_id=pk, expected_version=self.expected_version()
        )
        return self._shown(payment.id)

    def _shown(self, payment_id: UUID) -> Response:
        return self.answer(self.get_queryset().get(pk=payment_id))


class VerificationQueueViewSet(Listing, OrganizationViewSet):
    """Payments that wait for a verifier, the oldest first."""

    serializer_class = serializers.PaymentOut
    filterset_class = filters.QueueFilter
    ordering = ("created_at", "id")

    def get_queryset(self) -> QuerySet[Payment]:
        self.actor.require("payments.verify_payment")
        pending = self.actor.visible(
            payments_visible_to(self.actor).pending(), "payments.verify_payment"
        )
        return with_relations(as_shown(pending), shown=self.expanded(), actor=self.actor)


class PaymentInvoiceViewSet(Listing, Retrieving, OrganizationViewSet):
    """The documents that payments have of their own."""

    serializer_class = serializers.PaymentInvoiceOut
    output_serializers = {"document": serializers.DocumentLinkOut}
    filterset_class = filters.PaymentInvoiceFilter
    ordering_fields = ("created_at",)
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Any]:
        return payment_invoices_visible_to(self.actor).select_related("payment")

    @action(detail=True, methods=["get"])
    def document(self, request: Request, pk: UUID) -> Response:
        """The PDF of an approved payment invoice; it is made when it is first asked for."""
        return self.answer(services.print_payment_invoice(actor=self.actor, payment_invoice_id=pk))
