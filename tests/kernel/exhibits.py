"""Views that exist for the tests of the API base only, over mails, which are simple rows."""

from typing import Any, ClassVar

import django_filters
from django.db import OperationalError
from django.db.models import QuerySet
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from shared_apps.delivery.models import Mail
from shared_apps.kernel.api.parsers import StrictJSONParser, UploadParser
from shared_apps.kernel.api.serializers import (
    CurrencyField,
    ExpandableSerializer,
    MoneyField,
    StrictSerializer,
)
from shared_apps.kernel.api.throttling import RateLimit
from shared_apps.kernel.api.views import DomainView, DomainViewSet, Listing, Retrieving
from shared_apps.kernel.errors import RuleRefused
from shared_apps.kernel.money import Money


class LineIn(StrictSerializer):
    amount = MoneyField(minimum=1)
    note = serializers.CharField(max_length=10, required=False)


class OrderIn(StrictSerializer):
    reference = serializers.CharField(max_length=20)
    amount = MoneyField()
    balance = MoneyField(minimum=None, required=False)
    currency = CurrencyField(required=False)
    count = serializers.IntegerField(required=False, min_value=0)
    lines = LineIn(many=True, required=False)


class PartOut(ExpandableSerializer):
    name = serializers.CharField()


class ThingOut(ExpandableSerializer):
    expandable: ClassVar[Any] = {"part": PartOut}

    reference = serializers.CharField()
    version = serializers.IntegerField()


class Thing:
    reference = "T-1"
    version = 3

    class part:  # noqa: N801  (stands for an attribute)
        name = "wheel"


class SpanIn(StrictSerializer):
    since = serializers.DateField()
    until = serializers.DateField(required=False)


class Refused(RuleRefused):
    code = "kerneltest_refused"
    title = "The exhibit refuses."


class Unlimited(RateLimit):
    rate = "100000/minute"


class ThingViewSet(DomainViewSet):
    """Everything but rows."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (Unlimited,)
    parser_classes = (StrictJSONParser, UploadParser)
    serializer_class = ThingOut
    input_serializers: ClassVar[Any] = {"create": OrderIn, "partial_update": OrderIn}
    output_serializers: ClassVar[Any] = {"create": None}
    query_parameters: ClassVar[Any] = {"report": SpanIn}
    queryset = Mail.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        raise AssertionError("This exhibit has no rows.")

    def create(self, request: Any) -> Response:
        read = self.read_input()
        shown = {
            name: value.to_json() if isinstance(value, Money) else value
            for name, value in read.items()
            if name != "lines"
        }
        return Response({**shown, "lines": len(read.get("lines", []))}, status=201)

    def retrieve(self, request: Any, pk: str) -> Response:
        return self.answer(Thing())

    def partial_update(self, request: Any, pk: str) -> Response:
        return Response({"expected": self.expected_version(), "read": sorted(self.read_input())})

    def destroy(self, request: Any, pk: str) -> Response:
        return self.answer()

    @action(detail=False, methods=["get"])
    def report(self, request: Any) -> Response:
        return Response({name: str(day) for name, day in self.read_query().items()})

    @action(detail=True, methods=["post"])
    def refusal(self, request: Any, pk: str) -> Response:
        raise Refused("Not today.", extra={"until": "tomorrow", "status": 200}, retry_after=9)

    @action(detail=False, methods=["post"])
    def outage(self, request: Any) -> Response:
        raise OperationalError("connection to 10.0.0.7 failed: password of alice")

    @action(detail=False, methods=["post"])
    def bug(self, request: Any) -> Response:
        raise ZeroDivisionError("a secret")


class MailOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    template = serializers.CharField()
    attempts = serializers.IntegerField()
    sent_at = serializers.DateTimeField(allow_null=True)


class MailFilter(django_filters.FilterSet):
    template = django_filters.CharFilter()
    created = django_filters.DateFromToRangeFilter(field_name="created_at")

    class Meta:
        model = Mail
        fields: ClassVar[Any] = []


class MailViewSet(Listing, Retrieving, DomainViewSet):
    """Rows and nothing else."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (Unlimited,)
    serializer_class = MailOut
    filterset_class = MailFilter
    ordering_fields = {
        "attempts": "attempts",
        "sent": "sent_at",
        "template": "template",
    }
    queryset = Mail.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        return Mail.objects.all()


class SinglePageView(DomainView):
    authentication_classes = ()
    permission_classes = ()
    serializer_class = ThingOut

    def get(self, request: Any) -> Response:
        return self.answer(Thing())


router = SimpleRouter()
router.register("things", ThingViewSet, basename="thing")
router.register("mails", MailViewSet, basename="mail")
urlpatterns = [
    path("api/v1/", include(router.urls)),
    path("api/v1/single/", SinglePageView.as_view()),
]
handler400 = "shared_apps.kernel.api.problems.bad_request"
handler403 = "shared_apps.kernel.api.problems.forbidden"
handler404 = "shared_apps.kernel.api.problems.not_found"
handler500 = "shared_apps.kernel.api.problems.server_error"
