from django.urls import path

from tenant_apps.invariants.api.views import InvariantAlarmViewSet, InvariantViewSet

urlpatterns = [
    path("api/v1/invariants/", InvariantViewSet.as_view({"get": "list"}), name="invariants"),
    path(
        "api/v1/invariants/alarms/",
        InvariantAlarmViewSet.as_view({"get": "list"}),
        name="invariant-alarms",
    ),
]
