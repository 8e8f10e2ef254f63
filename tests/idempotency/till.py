"""A view whose act is to write down a counter row, which tests can see and make collide."""

from typing import Any, ClassVar
from uuid import uuid4

from django.db import transaction
from rest_framework import serializers
from rest_framework.response import Response

from shared_apps.accounts.models import AttemptCounter
from shared_apps.idempotency.api import IdempotentMixin
from shared_apps.kernel import clock
from shared_apps.kernel.api.serializers import StrictSerializer
from shared_apps.kernel.api.views import DomainView
from shared_apps.kernel.errors import Conflict


class SaleIn(StrictSerializer):
    amount = serializers.CharField()


class Till(IdempotentMixin, DomainView):
    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = ()
    input_serializers = {"post": SaleIn, "put": SaleIn}
    money_actions = frozenset({"post"})

    # What happens within the act, and what is called after its commit; tests set them.
    during: ClassVar[Any] = None
    afterwards: ClassVar[Any] = None

    def get(self, request: Any) -> Response:
        return Response({"sales": sales()})

    def post(self, request: Any) -> Response:
        amount = self.read_input()["amount"]
        row = AttemptCounter.objects.create(
            id=uuid4(), window_ends_at=clock.now(), attempts=int(amount)
        )
        if self.afterwards:
            transaction.on_commit(self.afterwards)
        if self.during:
            self.during(row)
        return Response({"id": str(row.id), "amount": amount}, status=201, headers={"ETag": '"1"'})

    def put(self, request: Any) -> Response:
        self.post(request)
        return Response({"refused": True}, status=409)


def sales() -> int:
    return AttemptCounter.objects.count()


def refuse(row: Any) -> None:
    raise Conflict("not now")


def break_down(row: Any) -> None:
    raise RuntimeError("a fault")
