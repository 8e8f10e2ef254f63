"""Whether the books are stopped, and starting them again."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationView
from shared_apps.kernel.api.serializers import StrictSerializer
from tenant_apps.ledger import selectors, services


class StopOut(serializers.Serializer[Any]):
    """Whether nothing is posted for now, since when, and which invariant is broken."""

    is_stopped = serializers.BooleanField()
    stopped_at = serializers.DateTimeField(allow_null=True)
    invariant = serializers.CharField(allow_null=True)
    alarm_id = serializers.UUIDField(allow_null=True)


class RestartIn(StrictSerializer):
    reason = serializers.CharField(max_length=500)


def _shown() -> dict[str, Any]:
    stop = selectors.books_stop()
    return {
        "is_stopped": stop is not None,
        "stopped_at": stop.stopped_at if stop else None,
        "invariant": stop.invariant if stop else None,
        "alarm_id": stop.alarm_id if stop else None,
    }


class StopView(OrganizationView):
    """Whether the books are stopped by an alarm."""

    serializer_class = StopOut
    required_permissions = {"get": "ledger.view_stop"}

    def get(self, request: Request) -> Response:
        """Whether the books are stopped, since when and by which invariant."""
        return self.answer(_shown())


class RestartView(OrganizationView):
    """Starting stopped books again."""

    serializer_class = StopOut
    input_serializers = {"post": RestartIn}
    required_permissions = {"post": "ledger.start_postings"}

    def post(self, request: Request) -> Response:
        """Start the books again, for a reason, once every invariant of theirs is green."""
        services.start_postings(actor=self.actor, **self.read_input())
        return self.answer(_shown())
