"""What happened, and which field had which value: for whoever may read the audit."""

from __future__ import annotations

from typing import Any

from auditlog.models import LogEntry
from django.apps import apps
from django.db.models import QuerySet

from shared_apps.access.api.filters import AuditEntryFilter
from shared_apps.access.api.serializers import AuditEntryOut, FieldChangeOut, SubjectQuery
from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.audit import selectors
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.api.views import Listing, Retrieving
from shared_apps.kernel.errors import BadInput

READ = selectors.VIEW_PERMISSION


class AuditEntryViewSet(Listing, Retrieving, OrganizationViewSet):
    """Every act: who, in which role, from where, on what. Never changed."""

    serializer_class = AuditEntryOut
    filterset_class = AuditEntryFilter
    ordering = ("-id",)
    required_permissions = {"list": READ, "retrieve": READ}

    def get_queryset(self) -> QuerySet[AuditEntry]:
        return selectors.audit_entries_visible_to(self.actor)


class FieldHistoryViewSet(Listing, OrganizationViewSet):
    """The field history of one record, newest first."""

    serializer_class = FieldChangeOut
    query_parameters = {"list": SubjectQuery}
    queryset = LogEntry.objects.none()
    ordering = ("-id",)
    required_permissions = {"list": READ}

    def get_queryset(self) -> QuerySet[LogEntry]:
        asked: dict[str, Any] = self.read_query()
        try:
            model = apps.get_model(asked["subject_type"])
        except LookupError:
            raise BadInput.field("subject_type", detail="There is no such kind.") from None
        return selectors.field_history_of(model, pk=asked["subject_id"])
