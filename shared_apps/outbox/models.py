from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models

from shared_apps.kernel import clock
from shared_apps.kernel.ids import uuid7


class OutboxMessageQuerySet(models.QuerySet["OutboxMessage"]):
    def open(self) -> OutboxMessageQuerySet:
        """Neither delivered to all consumers nor given up."""
        return self.filter(relayed_at=None, failed_at=None)

    def due(self, *, at: datetime) -> OutboxMessageQuerySet:
        """Open and not waiting for a later attempt."""
        return self.open().filter(next_attempt_at__lte=at)

    def given_up(self) -> OutboxMessageQuerySet:
        """Failed so often that only a person tries them again."""
        return self.exclude(failed_at=None)


class OutboxMessage(models.Model):
    """News that leaves the database after its transaction has committed.

    The id is a UUIDv7, so the order of ids is the order in which messages were written.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_name = models.CharField(max_length=120)
    subject_id = models.UUIDField()
    payload = models.JSONField()
    actor_user_id = models.UUIDField(null=True, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    relayed_at = models.DateTimeField(null=True, blank=True)
    quiet = models.BooleanField(
        default=False, help_text="Written for the record only: no consumer was told."
    )
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    failed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    objects = OutboxMessageQuerySet.as_manager()

    class Meta:
        db_table = "outbox_message"
        ordering = ("id",)
        indexes = (
            # Only what is still open: the index stays small however long the history grows.
            models.Index(
                fields=("id",),
                name="outbox_message_open",
                condition=models.Q(relayed_at=None, failed_at=None),
            ),
            models.Index(
                fields=("failed_at",),
                name="outbox_message_given_up",
                condition=models.Q(failed_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_name} {self.id}"


class ConsumerReceipt(models.Model):
    """Proof that a consumer has acted on a message; it commits together with the act."""

    append_only: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    consumer = models.CharField(max_length=120)
    message = models.ForeignKey(
        OutboxMessage,
        on_delete=models.PROTECT,
        related_name="receipts",
        db_index=False,  # the unique constraint begins with it
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "outbox_consumer_receipt"
        constraints = (
            models.UniqueConstraint(
                fields=("message", "consumer"), name="outbox_receipt_once_per_consumer"
            ),
        )

    def __str__(self) -> str:
        return f"{self.consumer} {self.message_id}"
