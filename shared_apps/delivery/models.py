from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from shared_apps.kernel import clock
from shared_apps.kernel.models import Record, RecordQuerySet


class MailState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    # A secret that nobody handed over: the process ended between the commit and the sending.
    LOST = "lost", "Lost"


UNDELIVERED = (MailState.FAILED, MailState.LOST)


class MailQuerySet(RecordQuerySet["Mail"]):
    def due(self, *, at: datetime) -> MailQuerySet:
        """Queued with its content, and not waiting for a later attempt."""
        return self.filter(state=MailState.QUEUED, is_secret=False, next_attempt_at__lte=at)

    def forgotten_secrets(self, *, before: datetime) -> MailQuerySet:
        """Secrets that should have left at their commit, which was before that moment."""
        return self.filter(state=MailState.QUEUED, is_secret=True, next_attempt_at__lt=before)

    def undelivered(self) -> MailQuerySet:
        """Those that reached nobody and will not be tried again."""
        return self.filter(state__in=UNDELIVERED)


class Mail(Record):
    """One mail to one person. Of a secret one, neither subject nor text is ever stored."""

    template = models.CharField(max_length=100)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=250, blank=True)
    text = models.TextField(blank=True)
    is_secret = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=MailState, default=MailState.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    objects: Any = MailQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "delivery_mail"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(is_secret=False) | models.Q(subject="", text=""),
                name="mail_secret_is_not_stored",
            ),
        )
        indexes = (
            models.Index(
                fields=("next_attempt_at", "id"),
                name="mail_queued",
                condition=models.Q(state="queued"),
            ),
            models.Index(fields=("to", "id"), name="mail_recipient"),
            models.Index(
                fields=("created_at", "id"),
                name="mail_undelivered",
                condition=models.Q(state__in=("failed", "lost")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.template} {self.id}"


class Sms(Record):
    """The log of one short message to one phone. They carry codes: the text is never stored."""

    template = models.CharField(max_length=100)
    to = models.CharField(max_length=16)
    state = models.CharField(max_length=10, choices=MailState, default=MailState.QUEUED)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta(Record.Meta):
        db_table = "delivery_sms"
        indexes = (
            models.Index(fields=("to", "id"), name="sms_recipient"),
            models.Index(
                fields=("created_at", "id"),
                name="sms_queued",
                condition=models.Q(state="queued"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.template} {self.id}"
