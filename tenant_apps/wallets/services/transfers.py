"""Credit that one seller gives to another."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import Money
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.errors import BelowFloor
from tenant_apps.wallets import errors, events, references
from tenant_apps.wallets.models import Seller, SellerState, Wallet, WalletTransfer
from tenant_apps.wallets.selectors import policy, wallets_visible_to
from tenants.context import current_organization

from .amounts import check_amount
from .wallets import watch_credit


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """Credit to be given: from a wallet of one's own to a seller by its reference."""

    wallet_id: UUID
    to_seller: str
    amount: Money
    note: str = ""


@transaction.atomic
def transfer_credit(*, actor: Actor, transfer: NewTransfer) -> WalletTransfer:
    """Move credit to another seller's wallet in the same currency, at once and for good.

    :raises BadInput: no such wallet that the actor sees, or no such seller with such a wallet.
    :raises Forbidden: the actor may not transfer from the wallet.
    :raises TransfersNotAllowed: policy or seller allow no transfers.
    :raises SellerSuspended: one of the two is suspended.
    :raises TransferToSelf: both wallets are the same.
    :raises WalletCurrencyDiffers: the amount is not in the wallet's currency.
    :raises NotEnoughCredit: the wallet holds less.
    """
    source = wallets_visible_to(actor).select_related("seller").filter(pk=transfer.wallet_id)
    giver = source.first()
    if giver is None:
        raise BadInput.field("wallet", detail="There is no such wallet.", code="not_found")
    actor.require("wallets.add_wallettransfer", giver)
    _check_allowed(giver.seller)
    check_amount(amount=transfer.amount, currency=giver.currency)
    taker = _wallet_of(transfer.to_seller, currency=giver.currency)
    if taker.id == giver.id:
        raise errors.TransferToSelf
    locked = {row.id: row for row in Wallet.objects.locked_all({giver.id, taker.id})}
    row = WalletTransfer.objects.create(
        reference=references.next_reference(references.TRANSFER),
        from_wallet=giver,
        to_wallet=taker,
        amount_minor=transfer.amount.minor,
        currency=transfer.amount.currency,
        effective_on=clock.today(current_organization().time_zone),
        note=transfer.note,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    (leg,) = _posted(row, giver, taker, actor=actor).legs
    audit.record(
        events.CreditTransferred(
            subject_id=row.id,
            reference=row.reference,
            from_wallet_id=giver.id,
            to_wallet_id=taker.id,
            amount_minor=row.amount_minor,
            from_balance_minor=leg.debit_balance,
            to_balance_minor=leg.credited_balance,
            currency=row.currency,
        ),
        actor=actor,
    )
    watch_credit(wallets=locked.values(), actor=actor)
    return row


def _check_allowed(seller: Seller) -> None:
    allowed = seller.may_transfer
    if allowed is None:
        allowed = policy().transfers_allowed
    if not allowed:
        raise errors.TransfersNotAllowed(
            "A wallet admin can allow it for this seller, or for all in the wallet policy."
        )
    seller.check_active()


def _wallet_of(reference: str, *, currency: str) -> Wallet:
    """A seller is known to others by its reference alone."""
    found = Wallet.objects.filter(seller__reference=reference, currency=currency)
    wallet = found.select_related("seller").first()
    if wallet is None or wallet.seller.state != SellerState.ACTIVE:
        raise BadInput.field(
            "to_seller",
            detail=f"No active seller of this reference has a wallet in {currency}.",
            code="not_found",
        )
    return wallet


def _posted(row: WalletTransfer, giver: Wallet, taker: Wallet, *, actor: Actor) -> ledger.Journal:
    posting = ledger.Posting(
        rule="wallet.transferred",
        source_type="wallets.wallettransfer",
        source_id=row.id,
        amounts={"amount": row.amount},
        debit_subledgers={"seller": giver.seller_id},
        credit_subledgers={"seller": taker.seller_id},
        effective_on=row.effective_on,
        memo=row.reference,
    )
    try:
        return ledger.post(postings=[posting], actor=actor)[0]
    except BelowFloor as refusal:
        raise errors.NotEnoughCredit(errors.LESS_AVAILABLE) from refusal
