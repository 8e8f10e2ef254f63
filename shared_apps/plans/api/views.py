from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.kernel.api.views import DomainView
from shared_apps.plans.api.serializers import PlanOut
from shared_apps.plans.selectors import listed_plans


class PlanList(DomainView):
    """The plans that an organization may choose when it signs up."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = PlanOut
    unpaged = frozenset({"get"})

    def get(self, request: Request) -> Response:
        """All of them: they are few."""
        return self.answer_all(listed_plans())
