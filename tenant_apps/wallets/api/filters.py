"""How lists of sellers and their credit are narrowed."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import InvalidAmount, Money
from tenant_apps.ledger.models import StatementLine
from tenant_apps.wallets.models import (
    BatchRowState,
    BatchState,
    ChargeBatch,
    ChargeBatchRow,
    ChargeRefund,
    ChargeSale,
    DepositMethod,
    DepositRequest,
    DepositState,
    MatchResult,
    Operator,
    ReconciledRow,
    RefundOrigin,
    RefundState,
    SaleState,
    Seller,
    SellerState,
    Wallet,
    WalletTransfer,
)
from tenant_apps.wallets.phones import normalised
from tenant_apps.wallets.statements import TYPES, Period
from tenants.context import current_organization


def e164(text: str) -> str:
    """The number that somebody looks for, however it is written."""
    return normalised(text, country=current_organization().country, field="number")


class ChargeSaleFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=SaleState.choices)
    wallet = filters.UUIDFilter(field_name="wallet_id")
    reference = filters.CharFilter(max_length=24)
    number = filters.CharFilter(max_length=40, method="of_number")
    sold_from = filters.DateFilter(field_name="sold_on", lookup_expr="gte")
    sold_to = filters.DateFilter(field_name="sold_on", lookup_expr="lte")

    class Meta:
        model = ChargeSale
        fields: ClassVar[tuple[str, ...]] = (
            "state",
            "wallet",
            "reference",
            "number",
            "sold_from",
            "sold_to",
        )

    def of_number(self, sales: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return sales.filter(phone=e164(value))


class ChargeRefundFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=RefundState.choices)
    origin = filters.ChoiceFilter(choices=RefundOrigin.choices)
    sale = filters.UUIDFilter(field_name="sale_id")
    wallet = filters.UUIDFilter(field_name="sale__wallet_id")
    reference = filters.CharFilter(max_length=24)

    class Meta:
        model = ChargeRefund
        fields: ClassVar[tuple[str, ...]] = ("state", "origin", "sale", "wallet", "reference")


class OperatorFilter(filters.FilterSet):
    is_active = filters.BooleanFilter()

    class Meta:
        model = Operator
        fields: ClassVar[tuple[str, ...]] = ("is_active",)


class ChargeBatchFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=BatchState.choices)
    wallet = filters.UUIDFilter(field_name="wallet_id")

    class Meta:
        model = ChargeBatch
        fields: ClassVar[tuple[str, ...]] = ("state", "wallet")


class ChargeBatchRowFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=BatchRowState.choices)

    class Meta:
        model = ChargeBatchRow
        fields: ClassVar[tuple[str, ...]] = ("state",)


class ReconciledRowFilter(filters.FilterSet):
    result = filters.ChoiceFilter(choices=MatchResult.choices)

    class Meta:
        model = ReconciledRow
        fields: ClassVar[tuple[str, ...]] = ("result",)


class SellerFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=SellerState.choices)
    reference = filters.CharFilter(max_length=24)

    class Meta:
        model = Seller
        fields: ClassVar[tuple[str, ...]] = ("state", "reference")


class WalletFilter(filters.FilterSet):
    seller = filters.UUIDFilter(field_name="seller_id")
    currency = filters.CharFilter(max_length=3)

    class Meta:
        model = Wallet
        fields: ClassVar[tuple[str, ...]] = ("seller", "currency")


class DepositFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=DepositState.choices)
    method = filters.ChoiceFilter(choices=DepositMethod.choices)
    wallet = filters.UUIDFilter(field_name="wallet_id")
    reference = filters.CharFilter(max_length=24)
    paid_from = filters.DateFilter(field_name="paid_on", lookup_expr="gte")
    paid_to = filters.DateFilter(field_name="paid_on", lookup_expr="lte")

    class Meta:
        model = DepositRequest
        fields: ClassVar[tuple[str, ...]] = (
            "state",
            "method",
            "wallet",
            "reference",
            "paid_from",
            "paid_to",
        )


class WalletTransferFilter(filters.FilterSet):
    from_wallet = filters.UUIDFilter(field_name="from_wallet_id")
    to_wallet = filters.UUIDFilter(field_name="to_wallet_id")
    reference = filters.CharFilter(max_length=24)

    class Meta:
        model = WalletTransfer
        fields: ClassVar[tuple[str, ...]] = ("from_wallet", "to_wallet", "reference")


class HistoryFilter(filters.FilterSet):
    """Days are the organization's; amounts are texts in the wallet's currency."""

    day_from = filters.DateFilter(method="since")
    day_to = filters.DateFilter(method="until")
    type = filters.ChoiceFilter(field_name="entry_type", choices=TYPES)
    number = filters.CharFilter(max_length=40, method="of_number")
    amount_from = filters.CharFilter(max_length=24, method="at_least")
    amount_to = filters.CharFilter(max_length=24, method="at_most")

    class Meta:
        model = StatementLine
        fields: ClassVar[tuple[str, ...]] = (
            "day_from",
            "day_to",
            "type",
            "number",
            "amount_from",
            "amount_to",
        )

    def since(self, lines: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        return Period(first=value).of(lines)

    def until(self, lines: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        since = self.form.cleaned_data["day_from"]
        if since is not None and value < since:
            raise BadInput.field("day_to", detail=f"It is not before {since}, the first day.")
        return Period(last=value).of(lines)

    def of_number(self, lines: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return lines.filter(number=e164(value))

    def at_least(self, lines: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return lines.filter(amount_minor__gte=self._minor(name, value))

    def at_most(self, lines: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return lines.filter(amount_minor__lte=self._minor(name, value))

    def _minor(self, name: str, value: str) -> int:
        request: Any = self.request
        wallet: Wallet = request.parser_context["view"].wallet
        try:
            return Money.parse(value, wallet.currency).minor
        except InvalidAmount as problem:
            raise BadInput.field(name, detail=str(problem), code=problem.code) from problem
