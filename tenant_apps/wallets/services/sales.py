"""Placing a sale: the wallet's limits and credit decide, in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NoReturn
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.errors import BelowFloor
from tenant_apps.wallets import errors, events, phones, providers, references
from tenant_apps.wallets.models import ChargeSale, Operator, SaleState, Wallet
from tenant_apps.wallets.models.operators import beginnings_of
from tenant_apps.wallets.models.sellers import CREDIT_ACCOUNT
from tenant_apps.wallets.selectors import wallets_visible_to
from tenants.context import current_organization, organization_id

from .amounts import check_amount
from .wallets import watch_credit

SUBJECT = "wallets.chargesale"
# Whoever placed it calls the provider at once; after this long nobody does, and the janitor will.
FIRST_ASK_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSale:
    """A number to be charged, as somebody wrote it, from a wallet. `id` makes it repeatable."""

    wallet_id: UUID
    phone: str
    amount: Money
    id: UUID | None = None


@transaction.atomic(savepoint=False)
def place_charge_sale(*, actor: Actor, sale: NewSale) -> ChargeSale:
    """Hold the credit for a sale. `deliver_sale` calls the provider, after the commit.

    A refusal spends the caller's transaction; whoever wants to go on needs a savepoint around.

    :raises NoChargeProvider: there is nobody who could charge the number.
    :raises BadInput: no such wallet that the actor sees.
    :raises PhoneNumberInvalid: it is no mobile number.
    :raises Forbidden: the actor may not sell from the wallet.
    :raises SellerSuspended: the seller is suspended.
    :raises OperatorUnknown: no operator has this number.
    :raises WalletCurrencyDiffers: the amount is not in the wallet's currency.
    :raises SaleLimitExceeded, DailyLimitExceeded: a limit of the wallet does not allow it.
    :raises NotEnoughCredit: the wallet has less than that available.
    """
    providers.configured()
    wallet = _wallet_to_sell_from(actor, sale.wallet_id)
    organization = current_organization()
    phone = phones.normalised(sale.phone, country=organization.country)
    check_amount(amount=sale.amount, currency=wallet.currency)
    today = clock.today(organization.time_zone)
    # The wallet is locked from here on: whatever can be done before is done before.
    reference, operator = _use_limits(wallet, sale.amount, today=today, phone=phone)
    sale_id = sale.id or uuid7()
    row = ChargeSale.objects.create(
        id=sale_id,
        reference=reference,
        wallet=wallet,
        phone=phone,
        operator=operator,
        amount_minor=sale.amount.minor,
        currency=sale.amount.currency,
        sold_on=today,
        charge_reference=uuid8_near(sale_id, organization_id(), "charge"),
        next_ask_at=clock.now() + FIRST_ASK_AFTER,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    _hold(row, wallet, actor=actor)
    audit.record(
        events.ChargeSalePlaced(
            subject_id=row.id,
            reference=row.reference,
            wallet_id=wallet.id,
            operator=operator.code,
            amount_minor=row.amount_minor,
            currency=row.currency,
        ),
        actor=actor,
    )
    watch_credit(wallets=[wallet], actor=actor)
    return row


@step
def hold_id_of(*, sale: ChargeSale) -> UUID:
    """The id of what the books hold for a sale."""
    return uuid8_near(sale.id, organization_id(), "hold")


@step
def give_limit_back(*, sale: ChargeSale) -> Wallet:
    """Let a sale that failed use nothing of its day's limit; the wallet is locked by that."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE wallets_wallet
            SET sold_minor = CASE WHEN sold_on = %(day)s THEN sold_minor - %(amount)s
                             ELSE sold_minor END
            WHERE id = %(wallet)s
            """,
            {"day": sale.sold_on, "amount": sale.amount_minor, "wallet": sale.wallet_id},
        )
    return Wallet.objects.get(pk=sale.wallet_id)


def _wallet_to_sell_from(actor: Actor, wallet_id: UUID) -> Wallet:
    visible = wallets_visible_to(actor).select_related("seller").filter(pk=wallet_id)
    wallet: Wallet | None = actor.visible(visible, "wallets.add_chargesale").first()
    if wallet is None:
        seen = visible.first()
        if seen is None:
            raise BadInput.field("wallet", detail="There is no such wallet.", code="not_found")
        actor.require("wallets.add_chargesale", seen)
        raise BadInput.field("wallet", detail="There is no such wallet.", code="not_found")
    wallet.seller.check_active()
    return wallet


# Whoever comes second sees what the first one used of the limits. The row also locks the wallet,
# which everybody does before the books. Its day only goes on: were it turned back, what was sold
# on the later day would be forgotten.
_USE_LIMITS = """
    UPDATE wallets_wallet
    SET sold_minor = CASE WHEN sold_on = %(day)s THEN sold_minor ELSE 0 END + %(amount)s,
        sold_on = %(day)s
    WHERE id = %(wallet)s
      AND (sold_on IS NULL OR sold_on <= %(day)s)
      AND (sale_limit_minor IS NULL OR %(amount)s <= sale_limit_minor)
      AND (daily_limit_minor IS NULL
           OR CASE WHEN sold_on = %(day)s THEN sold_minor ELSE 0 END + %(amount)s
              <= daily_limit_minor)
    RETURNING low_balance_minor, low_since, nextval(%(sequence)s::regclass), (
        SELECT ARRAY[o.id::text, o.code]
        FROM wallets_operatorprefix p JOIN wallets_operator o ON o.id = p.operator_id
        WHERE p.prefix = ANY (%(beginnings)s) AND o.is_active
        ORDER BY length(p.prefix) DESC LIMIT 1)
"""
# A sale that began before midnight and comes after one of the next day, or whose clock is behind:
# what its day has sold is counted, under the lock, and the wallet's day stays.
_LOCK = "SELECT FROM wallets_wallet WHERE id = %(wallet)s FOR NO KEY UPDATE"
_USE_LIMITS_OF_A_DAY_BEFORE = """
    SELECT low_balance_minor, low_since, nextval(%(sequence)s::regclass), (
        SELECT ARRAY[o.id::text, o.code]
        FROM wallets_operatorprefix p JOIN wallets_operator o ON o.id = p.operator_id
        WHERE p.prefix = ANY (%(beginnings)s) AND o.is_active
        ORDER BY length(p.prefix) DESC LIMIT 1)
    FROM wallets_wallet
    WHERE id = %(wallet)s
      AND sold_on > %(day)s
      AND (sale_limit_minor IS NULL OR %(amount)s <= sale_limit_minor)
      AND (daily_limit_minor IS NULL OR %(amount)s + (
               SELECT COALESCE(sum(s.amount_minor), 0)
               FROM wallets_chargesale s
               WHERE s.wallet_id = %(wallet)s AND s.sold_on = %(day)s AND s.state <> 'failed')
           <= daily_limit_minor)
"""


def _use_limits(wallet: Wallet, amount: Money, *, today: date, phone: str) -> tuple[str, Operator]:
    """Use the wallet's limits; answer the sale's reference and the operator of the number."""
    values: dict[str, Any] = {
        "day": today,
        "amount": amount.minor,
        "wallet": wallet.id,
        "sequence": references.SALE.sequence,
        "beginnings": beginnings_of(phone),
    }
    with connection.cursor() as cursor:
        cursor.execute(_USE_LIMITS, values)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_LOCK, values)
            cursor.execute(_USE_LIMITS_OF_A_DAY_BEFORE, values)
            row = cursor.fetchone()
    if row is None:
        _refuse(wallet, amount, today=today)
    # As it is under the lock: what was read before may be older.
    wallet.low_balance_minor, wallet.low_since, number, operator = row
    if operator is None:
        raise errors.OperatorUnknown(
            "No operator that is active has a prefix of this number. A wallet admin keeps them."
        )
    id_, code = operator
    return references.SALE.of(number), Operator.from_db(None, ["id", "code"], [UUID(id_), code])


def _refuse(wallet: Wallet, amount: Money, *, today: date) -> NoReturn:
    now = Wallet.objects.get(pk=wallet.pk)
    if now.sale_limit is not None and amount > now.sale_limit:
        raise errors.SaleLimitExceeded(
            f"One sale from this wallet is at most {now.sale_limit}.",
            extra={"sale_limit": now.sale_limit.to_json()},
        )
    left = Money(max((now.daily_limit_minor or 0) - _sold_on(now, today), 0), now.currency)
    raise errors.DailyLimitExceeded(
        f"The wallet sells at most {now.daily_limit} a day, and {left} are left today.",
        extra={"left_today": left.to_json()},
    )


def _sold_on(wallet: Wallet, day: date) -> int:
    if wallet.sold_on is None or wallet.sold_on < day:
        return 0
    if wallet.sold_on == day:
        return wallet.sold_minor
    sales = wallet.sales.filter(sold_on=day).exclude(state=SaleState.FAILED)
    return int(sales.aggregate(sold=Sum("amount_minor"))["sold"] or 0)


def _hold(sale: ChargeSale, wallet: Wallet, *, actor: Actor) -> None:
    request = ledger.HoldRequest(
        id=hold_id_of(sale=sale),
        account_code=CREDIT_ACCOUNT,
        subledger_id=wallet.seller_id,
        amount=sale.amount,
        source_type=SUBJECT,
        source_id=sale.id,
        memo=sale.reference,
    )
    try:
        ledger.reserve(holds=[request], actor=actor)
    except BelowFloor as refusal:
        raise errors.NotEnoughCredit(errors.LESS_AVAILABLE) from refusal
