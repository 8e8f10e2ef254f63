from __future__ import annotations

from typing import ClassVar

from django.db import models

from shared_apps.kernel import clock
from shared_apps.kernel.ids import uuid7


class AuditEntry(models.Model):
    """Who did what, in which role, from where, within which request. Written once."""

    append_only: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_name = models.CharField(max_length=120)
    subject_type = models.CharField(max_length=100)
    subject_id = models.UUIDField()
    payload = models.JSONField()
    actor_label = models.CharField(max_length=60, help_text='"user", or which part of the system.')
    actor_user_id = models.UUIDField(null=True, blank=True)
    actor_roles = models.JSONField(default=list)
    on_behalf_of = models.UUIDField(null=True, blank=True)
    session_id = models.UUIDField(null=True, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "audit_entry"
        ordering = ("-id",)
        verbose_name_plural = "audit entries"
        indexes = (
            models.Index(fields=("subject_type", "subject_id", "id"), name="audit_entry_subject"),
            models.Index(fields=("actor_user_id", "id"), name="audit_entry_actor"),
            models.Index(fields=("event_name", "id"), name="audit_entry_event"),
            models.Index(fields=("recorded_at", "id"), name="audit_entry_recorded"),
        )

    def __str__(self) -> str:
        return f"{self.event_name} {self.subject_id}"
