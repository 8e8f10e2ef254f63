"""One transaction around every unsafe request, and the same answer for the same request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, transaction
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from shared_apps.idempotency import services
from shared_apps.idempotency.api.requests import (
    DRY_RUN,
    content_hash,
    is_dry_run,
    key_of,
    rewind_files,
)
from shared_apps.idempotency.errors import KeyRequired
from shared_apps.kernel.transactions import retrying

REPLAYED_HEADER = "Idempotency-Replayed"
DRY_RUN_HEADER = "Dry-Run"
_KEPT_HEADERS = ("ETag", "Location")

Handler = Callable[..., Response]


class IdempotentMixin:
    """Goes before a view base of the kernel: `class Base(IdempotentMixin, DomainViewSet)`.

    `money_actions` names the operations that demand a key and can be tried by `?dry_run=true`.
    `secret_actions` names those whose answer is a secret: it is not kept, so a repeated request
    gets a new one.
    """

    money_actions: ClassVar[frozenset[str]] = frozenset()
    secret_actions: ClassVar[frozenset[str]] = frozenset()

    request: Any

    def allowed_query_parameters(self) -> set[str]:
        allowed: set[str] = super().allowed_query_parameters()  # type: ignore[misc]
        return allowed | {DRY_RUN} if self._moves_money() else allowed

    def perform(self, handler: Handler, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The view's act: in one transaction, once for each key, and repeated after a deadlock.

        :raises KeyRequired: the act moves money and there is no key.
        :raises KeyMalformed: the key is not one.
        :raises KeyUsedOtherwise: the key belongs to another request.
        :raises StillRunning: the first request with the key has not ended.
        """

        def act() -> Response:
            return super(IdempotentMixin, self).perform(  # type: ignore[misc, no-any-return]
                handler, request, *args, **kwargs
            )

        if request.method in SAFE_METHODS or not hasattr(self, request.method.lower()):
            return act()
        if self._moves_money() and is_dry_run(request):
            if key_of(request) is None:
                # A rehearsal is the same request: it shows also that the key is forgotten.
                raise KeyRequired
            return self._repeated(lambda: self._rehearsed(act))
        asked = self._asked()
        return self._repeated(lambda: self._committed(act, asked))

    def key_owner(self) -> UUID | None:
        """Among whose keys the request's key is; None where it is kept for nobody."""
        user = self.request.user
        # Strangers have no keys of their own: one could fetch another's answer.
        return None if user is None or not user.is_authenticated else user.pk

    def key_content(self) -> str:
        """Equal for requests that ask for the same."""
        return content_hash(self.request)

    def _moves_money(self) -> bool:
        view: Any = self
        return view.operation in self.money_actions

    def _answers_a_secret(self) -> bool:
        view: Any = self
        return view.operation in self.secret_actions

    def _asked(self) -> services.Request | None:
        """What the key stands for; None for a request without one, or of nobody."""
        request = self.request
        key = key_of(request)
        if key is None:
            if self._moves_money():
                raise KeyRequired
            return None
        if self._answers_a_secret():
            return None
        owner = self.key_owner()
        if owner is None:
            return None
        return services.Request(
            user_id=owner,
            key=key,
            method=request.method,
            path=request.path[:512],
            content_hash=self.key_content(),
            moves_money=self._moves_money(),
        )

    @transaction.atomic
    def _committed(self, act: Callable[[], Response], asked: services.Request | None) -> Response:
        if asked is not None:
            before = services.take_key(request=asked)
            if before is not None:
                return _replay(before)
        response = act()
        if not 200 <= response.status_code < 300:
            # A refusal that was returned instead of raised undoes as much.
            transaction.set_rollback(True)
        elif asked is not None:
            services.keep_answer(request=asked, answer=_kept(response))
        return response

    @transaction.atomic
    def _rehearsed(self, act: Callable[[], Response]) -> Response:
        response = act()
        with connection.cursor() as cursor:
            # What would be found out at COMMIT is found out now.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)
        response.headers[DRY_RUN_HEADER] = "true"
        return response

    def _repeated(self, run: Callable[[], Response]) -> Response:
        """Run the whole transaction again after a deadlock: this is where the outermost one is."""
        return retrying(run, rewind=lambda: rewind_files(self.request))


def _kept(response: Response) -> services.Answer:
    body = "" if response.data is None else JSONRenderer().render(response.data).decode()
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return services.Answer(status=response.status_code, headers=headers, body=body)


def _replay(answer: services.Answer) -> Response:
    data = json.loads(answer.body) if answer.body else None
    headers = {**answer.headers, REPLAYED_HEADER: "true"}
    return Response(data, status=answer.status, headers=headers)
