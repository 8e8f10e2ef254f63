"""Lists come in pages of bounded size, walked by a cursor.

The cursor names the last row's place in the order (its values and its id), so a page costs
the same wherever it stands, rows that arrive meanwhile shift nothing, and any number of
equal values keeps its order.
"""

from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.db.models import F, Model, OrderBy, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from shared_apps.kernel.errors import BadInput, InvalidCursor

from .cursors import Term, decode_position, encode_position, terms_of

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
_MAX_CURSOR_LENGTH = 2000


class CursorPagination(BasePagination):
    """Pages as {"next", "previous", "results"}; `page_size` is 1 to `max_page_size`."""

    cursor_query_param = "cursor"
    page_size_query_param = "page_size"
    page_size = DEFAULT_PAGE_SIZE
    max_page_size = MAX_PAGE_SIZE
    default_ordering: Sequence[str] = ("-pk",)

    def query_parameters(self) -> set[str]:
        return {self.cursor_query_param, self.page_size_query_param}

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        """One page of the set, in its declared order.

        :raises BadInput: the page size is out of bounds.
        :raises InvalidCursor: the cursor was not made by this list in this order.
        """
        self.base_url = request.build_absolute_uri()
        size = self.get_page_size(request)
        self.terms = terms_of(queryset, self._ordering(queryset, view))
        self.salt = _salt(queryset.model, self.terms)
        position, backwards = self._read_cursor(request)
        found = list(_rows(queryset, self.terms, position, backwards=backwards)[: size + 1])
        more = len(found) > size
        page = found[:size]
        if backwards:
            page.reverse()
        self._place(page, more=more, backwards=backwards, position=position)
        return page

    def get_page_size(self, request: Any) -> int:
        """How many rows a page has.

        :raises BadInput: the parameter is no number from 1 to the maximum.
        """
        text = request.query_params.get(self.page_size_query_param)
        if text is None:
            return self.page_size
        if text.isascii() and text.isdecimal() and len(text) <= 6:
            size = int(text)
            if 1 <= size <= self.max_page_size:
                return size
        raise BadInput.field(
            self.page_size_query_param,
            detail=f"The page size is a number from 1 to {self.max_page_size}.",
        )

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next_link, "previous": self.previous_link, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "The address of the next page."},
                "previous": {**link, "description": "The address of the page before."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": self.cursor_query_param,
                "in": "query",
                "required": False,
                "description": "A place in the list, as `next` and `previous` give it.",
                "schema": {"type": "string", "maxLength": _MAX_CURSOR_LENGTH},
            },
            {
                "name": self.page_size_query_param,
                "in": "query",
                "required": False,
                "description": "How many rows a page has.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.max_page_size,
                    "default": self.page_size,
                },
            },
        ]

    def _ordering(self, queryset: QuerySet[Any], view: Any) -> Sequence[str]:
        asked = getattr(view, "chosen_ordering", None)
        declared = asked or getattr(view, "ordering", None) or self.default_ordering
        return [declared] if isinstance(declared, str) else declared

    def _read_cursor(self, request: Any) -> tuple[list[Any] | None, bool]:
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None, False
        try:
            if len(text) > _MAX_CURSOR_LENGTH:
                raise InvalidCursor
            backwards, values = signing.loads(text, salt=self.salt)
            return decode_position(values), bool(backwards)
        except (signing.BadSignature, ValueError, TypeError, LookupError):
            raise InvalidCursor from None

    def _place(
        self, page: list[Any], *, more: bool, backwards: bool, position: list[Any] | None
    ) -> None:
        self.next_link = self.previous_link = None
        if not page:
            # The rows beyond the cursor are gone: the way back is the first page.
            if position is not None:
                self.previous_link = remove_query_param(self.base_url, self.cursor_query_param)
            return
        if more or backwards:
            self.next_link = self._link(page[-1], backwards=False)
        if more if backwards else position is not None:
            self.previous_link = self._link(page[0], backwards=True)

    def _link(self, row: Any, *, backwards: bool) -> str:
        values = encode_position(row, self.terms)
        cursor = signing.dumps([int(backwards), values], salt=self.salt)
        return replace_query_param(self.base_url, self.cursor_query_param, cursor)


def _salt(model: type[Model], terms: Sequence[Term]) -> str:
    # A cursor of one list or order means nothing in another: its signature fails there.
    order = ",".join(term.spelled for term in terms)
    return f"kernel.cursor:{model._meta.label}:{order}"


def _rows(
    queryset: QuerySet[Any],
    terms: Sequence[Term],
    position: list[Any] | None,
    *,
    backwards: bool,
) -> QuerySet[Any]:
    walked = [term.reversed() for term in terms] if backwards else list(terms)
    ordered = queryset.order_by(*[_expression(term) for term in walked])
    if position is None:
        return ordered
    return ordered.filter(_beyond(walked, position))


def _expression(term: Term) -> OrderBy:
    if not term.nullable:
        return OrderBy(F(term.path), descending=term.descending)
    # Said both ways round, so that walking backwards is exactly the opposite order.
    return OrderBy(
        F(term.path),
        descending=term.descending,
        nulls_last=term.nulls_last or None,
        nulls_first=not term.nulls_last or None,
    )


def _beyond(terms: Sequence[Term], position: Sequence[Any]) -> Q:
    """The rows after the position: (a, b) > (x, y), spelled for any directions."""
    term, value = terms[0], position[0]
    here = Q(**{f"{term.path}__isnull": True}) if value is None else Q(**{term.path: value})
    after = _after(term, value)
    if len(terms) == 1:
        return after
    deeper = here & _beyond(terms[1:], position[1:])
    if term.nullable:
        return after | deeper
    # The bound on the first column alone lets an index seek; OR alone would not.
    bound = Q(**{f"{term.path}__{'lte' if term.descending else 'gte'}": value})
    return bound & (after | deeper)


def _after(term: Term, value: Any) -> Q:
    if value is None:
        return Q(pk__in=[]) if term.nulls_last else Q(**{f"{term.path}__isnull": False})
    beyond = Q(**{f"{term.path}__{'lt' if term.descending else 'gt'}": value})
    if term.nullable and term.nulls_last:
        beyond |= Q(**{f"{term.path}__isnull": True})
    return beyond
