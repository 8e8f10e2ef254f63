"""The watch, for whoever administers the organization."""

from typing import Any

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing
from tenant_apps.invariants import selectors
from tenant_apps.invariants.api.serializers import InvariantAlarmOut, InvariantOut
from tenant_apps.invariants.models import InvariantAlarm, InvariantCheck


class InvariantViewSet(Listing, OrganizationViewSet):
    """What must always hold, and whether it does."""

    queryset = InvariantCheck.objects.none()
    serializer_class = InvariantOut
    ordering = ("name",)
    required_permissions = {"list": "invariants.view_invariantcheck"}

    def get_queryset(self) -> Any:
        return selectors.invariant_checks_visible_to(self.actor)


class InvariantAlarmViewSet(Listing, OrganizationViewSet):
    """Every time that something did not hold, newest first. Never changed."""

    queryset = InvariantAlarm.objects.none()
    serializer_class = InvariantAlarmOut
    ordering = ("-id",)
    required_permissions = {"list": "invariants.view_invariantalarm"}

    def get_queryset(self) -> Any:
        return selectors.alarms_visible_to(self.actor)
