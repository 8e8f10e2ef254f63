from django.db.models import QuerySet
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny

from shared_apps.kernel.api.query import StrictQueryMixin
from shared_apps.plans.api.serializers import PlanOut
from shared_apps.plans.models import Plan
from shared_apps.plans.selectors import listed_plans


class PlanList(StrictQueryMixin, ListAPIView[Plan]):
    """The plans that an organization may choose when it signs up."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = PlanOut
    pagination_class = None
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Plan]:
        return listed_plans()
