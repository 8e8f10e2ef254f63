"""The only reader of sellers and their credit that other apps call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.models import RecordQuerySet
from shared_apps.kernel.money import Money
from tenant_apps.ledger.models import Balance
from tenant_apps.wallets.models import (
    ChargeBatch,
    ChargeRefund,
    ChargeSale,
    ChargeSaleQuerySet,
    DepositRequest,
    Operator,
    ProviderReconciliation,
    Seller,
    SellerQuerySet,
    Wallet,
    WalletPolicy,
    WalletQuerySet,
    WalletTransfer,
)
from tenant_apps.wallets.models.sellers import CREDIT_ACCOUNT


def sellers_visible_to(actor: Actor) -> SellerQuerySet:
    """The sellers that the actor may see; a seller sees itself."""
    visible: SellerQuerySet = actor.visible(Seller.objects.all(), "wallets.view_seller")
    return visible


def wallets_visible_to(actor: Actor) -> WalletQuerySet:
    """The wallets that the actor may see; a seller sees its own."""
    visible: WalletQuerySet = actor.visible(Wallet.objects.all(), "wallets.view_wallet")
    return visible


def deposits_visible_to(actor: Actor) -> RecordQuerySet[DepositRequest]:
    """The deposit requests that the actor may see."""
    visible: RecordQuerySet[DepositRequest] = actor.visible(
        DepositRequest.objects.all(), "wallets.view_depositrequest"
    )
    return visible


def transfers_visible_to(actor: Actor) -> RecordQuerySet[WalletTransfer]:
    """The transfers made from wallets that the actor may see; both sides have it in the history."""
    visible: RecordQuerySet[WalletTransfer] = actor.visible(
        WalletTransfer.objects.all(), "wallets.view_wallettransfer"
    )
    return visible


def sales_visible_to(actor: Actor) -> ChargeSaleQuerySet:
    """The sales that the actor may see; a seller sees its own."""
    visible: ChargeSaleQuerySet = actor.visible(ChargeSale.objects.all(), "wallets.view_chargesale")
    return visible


def refunds_visible_to(actor: Actor) -> RecordQuerySet[ChargeRefund]:
    """The refunds of sales that the actor may see; a seller sees those of its own."""
    visible: RecordQuerySet[ChargeRefund] = actor.visible(
        ChargeRefund.objects.all(), "wallets.view_chargerefund"
    )
    return visible


def batches_visible_to(actor: Actor) -> RecordQuerySet[ChargeBatch]:
    """The batches of sales that the actor may see."""
    visible: RecordQuerySet[ChargeBatch] = actor.visible(
        ChargeBatch.objects.all(), "wallets.view_chargebatch"
    )
    return visible


def operators_visible_to(actor: Actor) -> RecordQuerySet[Operator]:
    """The operators of the organization's table."""
    visible: RecordQuerySet[Operator] = actor.visible(
        Operator.objects.all(), "wallets.view_operator"
    )
    return visible


def reconciliations_visible_to(actor: Actor) -> RecordQuerySet[ProviderReconciliation]:
    """The provider's files that were compared."""
    visible: RecordQuerySet[ProviderReconciliation] = actor.visible(
        ProviderReconciliation.objects.all(), "wallets.view_providerreconciliation"
    )
    return visible


def has_due_sales() -> bool:
    """Whether it is time to ask about a sale."""
    return ChargeSale.objects.due(at=clock.now()).exists()


def running_batches() -> list[UUID]:
    """The batches of which rows wait."""
    return list(ChargeBatch.objects.running().values_list("pk", flat=True))


def known_sellers(ids: Iterable[UUID]) -> set[UUID]:
    """Those of the ids that are sellers'."""
    return set(Seller.objects.filter(id__in=set(ids)).values_list("id", flat=True))


def policy() -> WalletPolicy:
    """What holds for all wallets; the default where nobody has said anything yet."""
    return WalletPolicy.objects.first() or WalletPolicy()


def available_credit(*, wallets: Iterable[Wallet]) -> Mapping[UUID, Money]:
    """What may leave each wallet now, by its id: the books' balance less what is held."""
    by_place = {(wallet.seller_id, wallet.currency): wallet for wallet in wallets}
    found = Balance.objects.filter(
        account__code=CREDIT_ACCOUNT,
        account__subledger_id__in={seller_id for seller_id, _ in by_place},
    ).values_list("account__subledger_id", "account__currency", "posted", "held")
    free = {(seller, currency): posted - held for seller, currency, posted, held in found}
    return {
        wallet.id: Money(free.get(place, 0), wallet.currency) for place, wallet in by_place.items()
    }
