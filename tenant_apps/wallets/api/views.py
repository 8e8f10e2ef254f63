"""Sellers, wallets, deposits and transfers over HTTP."""

from __future__ import annotations

from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationView, OrganizationViewSet
from shared_apps.kernel.api.parsers import UploadParser
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.ledger.models import StatementLine
from tenant_apps.wallets import services
from tenant_apps.wallets.api import filters, serializers
from tenant_apps.wallets.models import DepositRequest, Seller, Wallet, WalletTransfer
from tenant_apps.wallets.selectors import (
    deposits_visible_to,
    policy,
    sellers_visible_to,
    transfers_visible_to,
    wallets_visible_to,
)
from tenant_apps.wallets.statements import history_of


class SellerViewSet(Listing, Retrieving, OrganizationViewSet):
    """Who sells against credit."""

    queryset = Seller.objects.none()
    serializer_class = serializers.SellerOut
    input_serializers = {
        "create": serializers.SellerIn,
        "partial_update": serializers.SellerChangeIn,
    }
    required_permissions = {"create": "wallets.add_seller"}
    filterset_class = filters.SellerFilter
    ordering_fields = ("created_at", "reference")
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Seller]:
        return sellers_visible_to(self.actor).select_related("party")

    def create(self, request: Request) -> Response:
        """Let a party sell: a client by its id, or a new party by its name."""
        seller = services.add_seller(
            actor=self.actor, seller=services.NewSeller(**self.read_input())
        )
        return self.answer(seller)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change who sells, where, and whether it may transfer."""
        seller = services.change_seller(
            actor=self.actor,
            seller_id=pk,
            changes=self.read_input(),
            expected_version=self.expected_version(),
        )
        return self.answer(seller)

    @action(detail=True, methods=["post"])
    def suspension(self, request: Request, pk: UUID) -> Response:
        """Let the seller neither sell nor transfer nor ask for credit."""
        return self.answer(
            services.suspend_seller(
                actor=self.actor, seller_id=pk, expected_version=self.expected_version()
            )
        )

    @action(detail=True, methods=["post"])
    def reinstatement(self, request: Request, pk: UUID) -> Response:
        """Take the suspension back."""
        return self.answer(
            services.reinstate_seller(
                actor=self.actor, seller_id=pk, expected_version=self.expected_version()
            )
        )


class WalletViewSet(Listing, Retrieving, OrganizationViewSet):
    """The credit of sellers, one wallet for each currency."""

    queryset = Wallet.objects.none()
    serializer_class = serializers.WalletOut
    input_serializers = {
        "create": serializers.WalletIn,
        "partial_update": serializers.WalletChangeIn,
    }
    required_permissions = {"create": "wallets.add_wallet"}
    filterset_class = filters.WalletFilter
    ordering_fields = ("created_at", "currency")
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Wallet]:
        return wallets_visible_to(self.actor).select_related("seller").with_funds()

    def create(self, request: Request) -> Response:
        """Open a wallet of a seller in one more currency."""
        wallet = services.open_wallet(actor=self.actor, **self.read_input())
        return self._shown(wallet.id)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Set or take away limits and the threshold below which the seller is told."""
        wallet = services.change_wallet(
            actor=self.actor,
            wallet_id=pk,
            changes=self.read_input(),
            expected_version=self.expected_version(),
        )
        return self._shown(wallet.id)

    def _shown(self, wallet_id: UUID) -> Response:
        return self.answer(self.get_queryset().get(pk=wallet_id))


class WalletHistoryViewSet(Listing, OrganizationViewSet):
    """What happened to a wallet's credit, each row with the balance that it left."""

    queryset = StatementLine.objects.none()
    serializer_class = serializers.HistoryOut
    filterset_class = filters.HistoryFilter
    ordering = ("-version",)

    @cached_property
    def wallet(self) -> Wallet:
        return wallets_visible_to(self.actor).obtain(self.kwargs["wallet_id"])

    def get_queryset(self) -> QuerySet[StatementLine]:
        return history_of(self.wallet)


class WalletPolicyView(OrganizationView):
    """What holds for all wallets of the organization."""

    serializer_class = serializers.WalletPolicyOut
    input_serializers = {"patch": serializers.WalletPolicyIn}
    required_permissions = {
        "get": "wallets.view_walletpolicy",
        "patch": "wallets.change_walletpolicy",
    }

    def get(self, request: Request) -> Response:
        """Whether sellers may give credit to each other."""
        return self.answer(policy())

    def patch(self, request: Request) -> Response:
        """Say whether sellers may give credit to each other."""
        changed = services.change_policy(
            actor=self.actor, expected_version=self.expected_version(), **self.read_input()
        )
        return self.answer(changed)


class DepositRequestViewSet(Listing, Retrieving, OrganizationViewSet):
    """Requests for credit against money that was paid in."""

    queryset = DepositRequest.objects.none()
    serializer_class = serializers.DepositOut
    input_serializers = {
        "create": serializers.DepositIn,
        "proof": serializers.DepositProofIn,
        "approval": serializers.DepositApprovalIn,
        "denial": serializers.DepositDenialIn,
    }
    filterset_class = filters.DepositFilter
    ordering_fields = {"created_at": "created_at", "amount": "amount_minor"}
    ordering = ("-created_at", "-id")
    money_actions = frozenset({"create", "approval"})
    step_up_for_money = frozenset({"approval"})

    def get_queryset(self) -> QuerySet[DepositRequest]:
        return deposits_visible_to(self.actor).select_related("wallet__seller", "proof")

    def create(self, request: Request) -> Response:
        """Ask for credit; another person decides."""
        deposit = services.request_deposit(
            actor=self.actor, deposit=services.NewDeposit(**self.read_input())
        )
        return self._shown(deposit.id)

    @action(detail=True, methods=["post"], parser_classes=[UploadParser])
    def proof(self, request: Request, pk: UUID) -> Response:
        """Keep a receipt (image or PDF) with a request that waits."""
        deposit = services.attach_deposit_proof(
            actor=self.actor,
            deposit_id=pk,
            file=self.read_input()["file"],
            expected_version=self.expected_version(),
        )
        return self._shown(deposit.id)

    @action(detail=True, methods=["post"])
    def approval(self, request: Request, pk: UUID) -> Response:
        """Confirm that the money is there: the seller's credit rises, once."""
        deposit = services.approve_deposit(
            actor=self.actor,
            deposit_id=pk,
            expected_version=self.expected_version(),
            **self.read_input(),
        )
        return self._shown(deposit.id)

    @action(detail=True, methods=["post"])
    def denial(self, request: Request, pk: UUID) -> Response:
        """Say no, and why. Nothing is booked."""
        deposit = services.deny_deposit(
            actor=self.actor,
            deposit_id=pk,
            expected_version=self.expected_version(),
            **self.read_input(),
        )
        return self._shown(deposit.id)

    @action(detail=True, methods=["post"])
    def withdrawal(self, request: Request, pk: UUID) -> Response:
        """Take back a request of one's own that nobody has decided on."""
        deposit = services.withdraw_deposit(
            actor=self.actor, deposit_id=pk, expected_version=self.expected_version()
        )
        return self._shown(deposit.id)

    def _shown(self, deposit_id: UUID) -> Response:
        return self.answer(self.get_queryset().get(pk=deposit_id))


class WalletTransferViewSet(Listing, Retrieving, OrganizationViewSet):
    """Credit that sellers gave to others."""

    queryset = WalletTransfer.objects.none()
    serializer_class = serializers.WalletTransferOut
    input_serializers = {"create": serializers.WalletTransferIn}
    filterset_class = filters.WalletTransferFilter
    ordering_fields = {"created_at": "created_at", "amount": "amount_minor"}
    ordering = ("-created_at", "-id")
    money_actions = frozenset({"create"})

    def get_queryset(self) -> QuerySet[WalletTransfer]:
        return transfers_visible_to(self.actor).select_related(
            "from_wallet__seller", "to_wallet__seller"
        )

    def create(self, request: Request) -> Response:
        """Give credit to another seller, named by its reference."""
        transfer = services.transfer_credit(
            actor=self.actor, transfer=services.NewTransfer(**self.read_input())
        )
        return self.answer(self.get_queryset().get(pk=transfer.id))
