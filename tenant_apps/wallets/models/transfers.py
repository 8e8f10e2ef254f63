"""Credit that one seller gave to another."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from shared_apps.access.models import AccessPaths
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet

from .sellers import Wallet


class WalletTransfer(Record):
    """Credit moved between two wallets of one currency. Written once, never changed."""

    append_only = True
    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="from_wallet__seller__user_id", unit="from_wallet__seller__unit_id"
    )

    reference = models.CharField(max_length=24)
    from_wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+")
    to_wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+")
    amount_minor = MinorUnitsField()
    currency = CurrencyField()
    amount = MoneyOf("amount_minor", "currency")
    effective_on = models.DateField()
    note = models.CharField(max_length=200, blank=True, default="")

    objects = RecordQuerySet["WalletTransfer"].as_manager()

    class Meta:
        default_permissions = ("view", "add")
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="wallets_wallettransfer_reference"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="wallets_wallettransfer_amount_positive"
            ),
            models.CheckConstraint(
                condition=~Q(from_wallet=F("to_wallet")),
                name="wallets_wallettransfer_two_wallets",
            ),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="wallets_wallettransfer_made")]

    def __str__(self) -> str:
        return self.reference
