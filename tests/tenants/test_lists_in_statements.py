"""Lists reach the database as they are: bulk inserts send whole columns so."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXTS = st.lists(
    st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\x00"))),
    max_size=8,
)


def back(values: list[Any], kind: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [values])
        found: list[Any] = cursor.fetchone()[0]
    return found


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "NULL",
        '"',
        "\\",
        '\\"',
        "a,b",
        "{x}",
        "it's",
        "tab\t",
        "line\n",
        "é☃",
        "%s",
    ],
)
def test_text_comes_back_as_it_was(tenant: Any, text: str) -> None:
    assert back([text, None, text], "text") == [text, None, text]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=TEXTS)
def test_any_text_comes_back(tenant: Any, values: list[str | None]) -> None:
    assert back(values, "text") == values


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([UUID(int=1), None, UUID(int=2**128 - 1)], "uuid"),
        ([1, -(2**62), None], "bigint"),
        ([True, False, None], "boolean"),
        ([date(2026, 11, 20), None], "date"),
        ([datetime(2026, 11, 20, 1, 2, 3, 456, tzinfo=UTC)], "timestamptz"),
        ([Decimal("1.50"), Decimal("-0.01")], "numeric"),
        ([[1, 2], [3, 4]], "int"),
        ([], "text"),
        ([None], "text"),
    ],
)
def test_other_values_come_back(tenant: Any, values: list[Any], kind: str) -> None:
    assert back(values, kind) == values
