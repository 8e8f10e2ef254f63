"""Opening wallets, their limits and thresholds, and telling once that credit runs low."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import IntegrityError, transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock, currencies
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.wallets import errors, events
from tenant_apps.wallets.models import Wallet
from tenant_apps.wallets.selectors import (
    available_credit,
    sellers_visible_to,
    wallets_visible_to,
)

CHANGEABLE = frozenset({"sale_limit", "daily_limit", "low_balance"})


@transaction.atomic
def open_wallet(*, actor: Actor, seller_id: UUID, currency: str) -> Wallet:
    """Open a seller's wallet in one more currency; it begins empty and without limits.

    :raises BadInput: no such seller that the actor sees, or no such currency.
    :raises Forbidden: the actor may not open wallets of this seller.
    :raises WalletAlreadyOpen: the seller has one in this currency.
    """
    seller = sellers_visible_to(actor).filter(pk=seller_id).first()
    if seller is None:
        raise BadInput.field("seller", detail="There is no such seller.", code="not_found")
    if not currencies.is_currency(currency):
        raise BadInput.field("currency", detail="This is not a currency.")
    actor.require("wallets.add_wallet", seller)
    wallet = Wallet(
        seller=seller,
        currency=currency,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    try:
        with transaction.atomic():
            wallet.save(force_insert=True)
    except IntegrityError as problem:
        raise errors.WalletAlreadyOpen from problem
    audit.record(
        events.WalletOpened(subject_id=wallet.id, seller_id=seller.id, currency=currency),
        actor=actor,
    )
    return wallet


@transaction.atomic
def change_wallet(
    *,
    actor: Actor,
    wallet_id: UUID,
    changes: Mapping[str, Money | None],
    expected_version: int | None = None,
) -> Wallet:
    """Set limits and the threshold (`CHANGEABLE`); None takes one away.

    A limit holds from the next sale on; what runs already is not touched.

    :raises NotFound: no such wallet that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises PreconditionFailed: it is at another version.
    :raises WalletCurrencyDiffers: an amount is in another currency.
    """
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    wallet = wallets_visible_to(actor).locked(wallet_id)
    actor.require("wallets.change_wallet", wallet)
    wallet.check_version(expected_version)
    changed = []
    for name in sorted(changes):
        amount = changes[name]
        if amount is not None and amount.currency != wallet.currency:
            raise errors.WalletCurrencyDiffers(f"The wallet is in {wallet.currency}.")
        minor = None if amount is None else amount.minor
        if getattr(wallet, f"{name}_minor") != minor:
            setattr(wallet, f"{name}_minor", minor)
            changed.append(name)
    if not changed:
        return wallet
    wallet.updated_by_id = actor.user_id
    wallet.raise_version()
    wallet.save()
    audit.record(events.WalletChanged(subject_id=wallet.id, fields=tuple(changed)), actor=actor)
    if "low_balance" in changed:
        watch_credit(wallets=[wallet], actor=actor)
    return wallet


@step
def watch_credit(*, wallets: Iterable[Wallet], actor: Actor) -> None:
    """Tell once that the credit of a wallet fell below its threshold, and forget it when it rose.

    Call it with wallets that are locked, after what moved their credit.
    """
    watched = [
        wallet
        for wallet in wallets
        if wallet.low_balance_minor is not None or wallet.low_since is not None
    ]
    if not watched:
        return
    available = available_credit(wallets=watched)
    for wallet in watched:
        threshold = wallet.low_balance_minor
        is_low = threshold is not None and available[wallet.id].minor < threshold
        if is_low == (wallet.low_since is not None):
            continue
        wallet.low_since = clock.now() if is_low else None
        wallet.save(update_fields=["low_since", "updated_at"])
        if threshold is not None and is_low:
            audit.record(
                events.WalletRanLow(
                    subject_id=wallet.id,
                    seller_id=wallet.seller_id,
                    available_minor=available[wallet.id].minor,
                    threshold_minor=threshold,
                    currency=wallet.currency,
                ),
                actor=actor,
            )
