from __future__ import annotations

from uuid import UUID

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet

from shared_apps.kernel.actor import Actor

from .models import AuditEntry

VIEW_PERMISSION = "audit.view_auditentry"


def audit_entries_visible_to(actor: Actor) -> QuerySet[AuditEntry]:
    """All entries for who may read them, newest first; none for anybody else."""
    entries = AuditEntry.objects.order_by("-id")
    return entries if actor.allows(VIEW_PERMISSION) else entries.none()


def field_history_visible_to(actor: Actor) -> QuerySet[LogEntry]:
    """The field history of all rows for who may read it, newest first."""
    history: QuerySet[LogEntry] = LogEntry.objects.select_related("content_type").order_by("-id")
    return history if actor.allows(VIEW_PERMISSION) else history.none()


def field_history_of(model: type[Model], *, pk: UUID) -> QuerySet[LogEntry]:
    """The field history of one row, newest first. The caller has checked that it is visible."""
    history: QuerySet[LogEntry] = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_pk=str(pk)
    ).order_by("-id")
    return history
