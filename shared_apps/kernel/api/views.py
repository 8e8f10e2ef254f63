"""View bases: one method, one service call, no `try`.

class PaymentViewSet(Listing, Retrieving, OrganizationViewSet):
    serializer_class = PaymentOut
    input_serializers = {"create": PaymentIn}

    def get_queryset(self):
        return payments_visible_to(self.actor)

    def create(self, request):
        return self.answer(record_payment(actor=self.actor, **self.read_input()))
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from rest_framework import status as http
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from shared_apps.kernel.errors import BadInput, FieldError, NotFound

from .pagination import CursorPagination
from .parsers import StrictJSONParser
from .patterns import UUID_PATTERN
from .preconditions import etag_for, expected_version
from .problems import exception_handler
from .query import FilterBackend, OrderingBackend, StrictQueryMixin
from .renderers import EnvelopeRenderer
from .schema import DomainSchema
from .serializers import ask_for_nothing
from .throttling import RateLimit, ThrottledView

_WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
_USUAL_STATUS = {"create": 201, "post": 201, "destroy": 204, "delete": 204}


class DomainViewMixin(StrictQueryMixin, ThrottledView):
    """What all views share. An *operation* is a viewset's action or a view's method.

    `input_serializers` names the input of each operation that has one; a body sent to
    another is refused. `output_serializers` names outputs other than `serializer_class`,
    None where an operation answers without a body. `success_statuses` names statuses other
    than the usual (201 for what creates, 204 for what removes, 200 else); an act under a
    noun of its own (`POST payments/{id}/reversal/`) creates it. `other_answers` documents
    further ones: {"verification": {202: ApprovalOut}}.
    """

    parser_classes: Any = (StrictJSONParser,)
    renderer_classes: Any = (JSONRenderer, EnvelopeRenderer)
    throttle_classes: Any = (RateLimit,)
    metadata_class: Any = None
    # No OPTIONS: the API describes itself in one document, and CORS is answered before views.
    http_method_names: Any = ("get", "post", "put", "patch", "delete", "head")
    schema: Any = DomainSchema()

    serializer_class: Any = None
    input_serializers: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    output_serializers: ClassVar[Mapping[str, type[BaseSerializer[Any]] | None]] = {}
    success_statuses: ClassVar[Mapping[str, int]] = {}
    other_answers: ClassVar[Mapping[str, Mapping[int, type[BaseSerializer[Any]] | None]]] = {}
    # Operations that answer rows which no paginator bounds; the service does.
    unpaged: ClassVar[frozenset[str]] = frozenset()

    request: Any

    @property
    def operation(self) -> str:
        action = getattr(self, "action", None)
        method = self.request.method.lower()
        return str(action or ("get" if method == "head" else method))

    @property
    def is_listing(self) -> bool:
        return self.operation == "list"

    def get_exception_handler(self) -> Callable[[Exception, Any], Response | None]:
        return exception_handler

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """As DRF has it, with a seam around the act (`perform`) for the layers above."""
        view: Any = self
        view.args, view.kwargs = args, kwargs
        request = view.initialize_request(request, *args, **kwargs)
        view.request = request
        view.headers = view.default_response_headers
        try:
            view.initial(request, *args, **kwargs)
            handler = view.http_method_not_allowed
            if request.method.lower() in view.http_method_names:
                handler = getattr(view, request.method.lower(), handler)
            response = view.perform(handler, request, *args, **kwargs)
        except Exception as exc:
            response = view.handle_exception(exc)
        view.response = view.finalize_response(request, response, *args, **kwargs)
        return view.response

    def perform(
        self, handler: Callable[..., Response], request: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Run the operation. Idempotency wraps this in its transaction and may repeat it."""
        return handler(request, *args, **kwargs)

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not hasattr(self, request.method.lower()):
            return
        self.check_query()
        if request.method in _WITH_BODY and self.operation not in self.input_serializers:
            self._refuse_body()

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        for name, value in self.rate_limit_headers().items():
            response.headers[name] = value
        # Answers depend on who asks: no cache in between may keep them.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def get_serializer_context(self) -> dict[str, Any]:
        expand = self.expanded() if self.request.query_params else ()
        return {"request": self.request, "view": self, "expand": expand}

    def get_serializer_class(self) -> Any:
        return self.output_serializer()

    def output_serializer(self) -> Any:
        """The serializer of the operation's answer; None when it has no body."""
        return self.output_serializers.get(self.operation, self.serializer_class)

    def read_input(self) -> dict[str, Any]:
        """The body, validated by the operation's input; what a PATCH leaves out is left out.

        :raises ValidationError: it is wrong; the API answers 400 and says where.
        """
        serializer = self.input_serializers[self.operation](
            data=self.request.data, context=self.get_serializer_context()
        )
        if self.request.method == "PATCH":
            ask_for_nothing(serializer)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def expected_version(self) -> int | None:
        """The version that `If-Match` demands, for the service to compare under the lock."""
        return expected_version(self.request)

    def success_status(self) -> int:
        """The status that the operation answers with when it succeeds."""
        usual = 201 if self._makes_a_noun() else http.HTTP_200_OK
        return self.success_statuses.get(self.operation, _USUAL_STATUS.get(self.operation, usual))

    def answer(
        self,
        obj: Any = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        serializer: type[BaseSerializer[Any]] | None = None,
    ) -> Response:
        """The thing as the operation's output shows it, with its ETag when it has versions."""
        status = status or self.success_status()
        shown = serializer or self.output_serializer()
        if obj is None or shown is None or status == http.HTTP_204_NO_CONTENT:
            return Response(status=status, headers=dict(headers or {}))
        data = shown(obj, context=self.get_serializer_context()).data
        response = Response(data, status=status, headers=dict(headers or {}))
        etag = etag_for(obj)
        if etag is not None:
            response.headers.setdefault("ETag", etag)
        return response

    def answer_all(
        self, rows: Iterable[Any], *, serializer: type[BaseSerializer[Any]] | None = None
    ) -> Response:
        """Rows whose number the service bounds, as a plain array."""
        shown = serializer or self.output_serializer()
        data = shown(list(rows), many=True, context=self.get_serializer_context()).data
        return Response(data, status=self.success_status())

    def _makes_a_noun(self) -> bool:
        return bool(self.request.method == "POST")

    def _refuse_body(self) -> None:
        data = self.request.data
        if not data:
            return
        names = list(data)[:20] if isinstance(data, Mapping) else [""]
        raise BadInput(
            errors=[
                FieldError.at(
                    *([name] if name else []), detail="This takes no body.", code="unknown_field"
                )
                for name in names
            ]
        )


class DomainView(DomainViewMixin, APIView):
    """The base of a view with one address and no rows."""


class DomainViewSet(DomainViewMixin, GenericViewSet):
    """The base of a resource. Rows come from `get_queryset`, which shows only visible ones.

    `ordering_fields` may be names or a mapping of public names to model paths; `ordering`
    is the order when none is asked for.
    """

    lookup_value_regex = UUID_PATTERN
    lookup_value_converter = "uuid"
    pagination_class: Any = CursorPagination
    filter_backends: Any = (FilterBackend, OrderingBackend)
    filterset_class: Any = None
    ordering_fields: Any = ()
    ordering: Any = ()

    def get_object(self) -> Any:
        """The row the address names.

        :raises NotFound: it does not exist or is not visible.
        """
        name = self.lookup_url_kwarg or self.lookup_field
        obj = self.get_queryset().filter(**{self.lookup_field: self.kwargs[name]}).first()
        if obj is None:
            raise NotFound
        self.check_object_permissions(self.request, obj)
        return obj

    def answer_page(self, queryset: Any) -> Response:
        """One page of the set, filtered and ordered as the caller asked."""
        page = self.paginate_queryset(self.filter_queryset(queryset))
        shown = self.output_serializer()
        data = shown(page, many=True, context=self.get_serializer_context()).data
        return self.get_paginated_response(data)


class Listing:
    """GET of the collection."""

    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        view: Any = self
        return view.answer_page(view.get_queryset())  # type: ignore[no-any-return]


class Retrieving:
    """GET of one row."""

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        view: Any = self
        return view.answer(view.get_object())  # type: ignore[no-any-return]
