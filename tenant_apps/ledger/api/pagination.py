"""Statements in pages: with cursors of the usual kind, or with the balance carried along."""

from typing import Any

from django.core import signing
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from shared_apps.kernel.api.pagination import CursorPagination
from shared_apps.kernel.errors import InvalidCursor
from shared_apps.kernel.money import Money
from tenant_apps.ledger.history.statements import Place, Statement
from tenant_apps.ledger.models import StatementLine


class StatementPagination(CursorPagination):
    """Adds what the account held before the first day asked about, and after the last."""

    opening: Money | None = None
    closing: Money | None = None

    def paginate_statement(self, statement: Statement, request: Any) -> list[StatementLine]:
        """One page by effective day.

        :raises BadInput: the page size is out of bounds.
        :raises InvalidCursor: the cursor was not made for this question.
        """
        self.base_url = request.build_absolute_uri()
        size = self.get_page_size(request)
        salt = f"ledger.statement:{statement}"
        page = statement.page(size=size, place=self._read_place(request, salt))
        self.opening, self.closing = page.opening, page.closing
        self.next_link = self._link_to(page.older, salt)
        self.previous_link = self._link_to(page.newer, salt)
        return page.lines

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        for name, held in (("opening_balance", self.opening), ("closing_balance", self.closing)):
            response.data[name] = None if held is None else held.to_json()
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        for name, when in (
            ("opening_balance", "before the first day; null where lines go by version"),
            ("closing_balance", "after the last day; null where lines go by version"),
        ):
            described["properties"][name] = {
                "anyOf": [{"$ref": "#/components/schemas/Money"}, {"type": "null"}],
                "description": f"What the account held {when}.",
            }
            described["required"].append(name)
        return described

    def _read_place(self, request: Any, salt: str) -> Place | None:
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        try:
            return Place.of(signing.loads(text, salt=salt))
        except (signing.BadSignature, ValueError, TypeError):
            raise InvalidCursor from None

    def _link_to(self, place: Place | None, salt: str) -> str | None:
        if place is None:
            return None
        cursor = signing.dumps(place.values(), salt=salt)
        return str(replace_query_param(self.base_url, self.cursor_query_param, cursor))
