"""A seller, the wallet of each currency, and what holds for all wallets."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from shared_apps.access.models import AccessPaths, Unit
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned
from shared_apps.kernel.money import Money
from tenant_apps.ledger.models import Balance
from tenant_apps.parties.models import Party
from tenant_apps.wallets import errors

# The line of the chart that keeps the credit of every seller.
CREDIT_ACCOUNT = "2400"


class SellerState(models.TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


class SellerQuerySet(RecordQuerySet["Seller"]):
    def active(self) -> Self:
        return self.filter(state=SellerState.ACTIVE)


class Seller(Record, Versioned):
    """A party that sells against credit it has paid before. Its user, if it has one, owns it."""

    access_paths: ClassVar[AccessPaths] = AccessPaths(owner="user_id", unit="unit_id")

    reference = models.CharField(max_length=24)
    party = models.OneToOneField(Party, on_delete=models.PROTECT, related_name="seller")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=SellerState, default=SellerState.ACTIVE)
    # Null follows the organization's policy.
    may_transfer = models.BooleanField(null=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        permissions = [("suspend_seller", "Can suspend a seller and take that back")]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="wallets_seller_reference"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "suspended"]), name="wallets_seller_state_known"
            ),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="wallets_seller_added")]

    def __str__(self) -> str:
        return self.reference

    def check_active(self) -> None:
        """:raises SellerSuspended: the seller is suspended."""
        if self.state != SellerState.ACTIVE:
            raise errors.SellerSuspended(
                f"{self.reference} is suspended; a wallet admin can reinstate it."
            )


class WalletQuerySet(RecordQuerySet["Wallet"]):
    def with_funds(self) -> Self:
        """Each with `posted_minor` and `held_minor`, what the books say of it now."""
        balances = Balance.objects.filter(
            account__code=CREDIT_ACCOUNT,
            account__subledger_id=OuterRef("seller_id"),
            account__currency=OuterRef("currency"),
        )
        return self.annotate(
            posted_minor=Coalesce(Subquery(balances.values("posted")[:1]), 0),
            held_minor=Coalesce(Subquery(balances.values("held")[:1]), 0),
        )


class Wallet(Record, Versioned):
    """A seller's credit in one currency: limits and alert. The credit itself is in the books.

    `sold_minor` is what was sold on the day `sold_on`; it is raised by one conditional UPDATE
    that knows the limits, so that no two sales pass a limit together.
    """

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="seller__user_id", unit="seller__unit_id"
    )

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="wallets")
    currency = CurrencyField()
    sale_limit_minor = MinorUnitsField(null=True)
    daily_limit_minor = MinorUnitsField(null=True)
    sold_on = models.DateField(null=True)
    sold_minor = MinorUnitsField(default=0)
    low_balance_minor = MinorUnitsField(null=True)
    # Since when the credit lies below the threshold; whoever is told is told once.
    low_since = models.DateTimeField(null=True)

    sale_limit = MoneyOf("sale_limit_minor", "currency")
    daily_limit = MoneyOf("daily_limit_minor", "currency")
    low_balance = MoneyOf("low_balance_minor", "currency")
    sold = MoneyOf("sold_minor", "currency")

    # Where `with_funds` has read them.
    posted_minor: int
    held_minor: int

    objects = WalletQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "currency"], name="wallets_wallet_one_per_currency"
            ),
            models.CheckConstraint(
                condition=Q(sale_limit_minor__isnull=True) | Q(sale_limit_minor__gte=0),
                name="wallets_wallet_sale_limit_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(daily_limit_minor__isnull=True) | Q(daily_limit_minor__gte=0),
                name="wallets_wallet_daily_limit_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(low_balance_minor__isnull=True) | Q(low_balance_minor__gte=0),
                name="wallets_wallet_low_balance_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(sold_minor__gte=0), name="wallets_wallet_sold_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="wallets_wallet_opened")]

    def __str__(self) -> str:
        return f"{self.seller_id} {self.currency}"

    @property
    def balance(self) -> Money:
        """What the books say; read the wallet by `with_funds`."""
        return Money(self.posted_minor, self.currency)

    @property
    def held(self) -> Money:
        """What is reserved for sales whose outcome is not known yet."""
        return Money(self.held_minor, self.currency)

    @property
    def available(self) -> Money:
        return Money(self.posted_minor - self.held_minor, self.currency)


class WalletPolicy(Record, Versioned):
    """What holds for all wallets of the organization: one row."""

    transfers_allowed = models.BooleanField(default=False)
    is_only = models.BooleanField(default=True, editable=False)

    class Meta:
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(fields=["is_only"], name="wallets_walletpolicy_one"),
            models.CheckConstraint(condition=Q(is_only=True), name="wallets_walletpolicy_only"),
        ]

    def __str__(self) -> str:
        return "policy"
