"""What a provider said by itself, message by message."""

from __future__ import annotations

from django.db import models

from shared_apps.kernel.models import Record, RecordQuerySet

from .sales import ChargeSale


class ProviderCallback(Record):
    """One signed message of a provider about one sale. Its id is why it is heard only once."""

    append_only = True

    message_id = models.CharField(max_length=128)
    sale = models.ForeignKey(ChargeSale, on_delete=models.PROTECT, related_name="callbacks")
    outcome = models.CharField(max_length=16)
    provider_reference = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=200, blank=True, default="")

    objects = RecordQuerySet["ProviderCallback"].as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["message_id"], name="wallets_providercallback_message"),
        ]

    def __str__(self) -> str:
        return self.message_id
