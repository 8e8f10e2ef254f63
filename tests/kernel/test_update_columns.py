"""Many rows are updated in one statement ..."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import FieldDoesNotExist

from shared_apps.kernel.bulk import update_columns
from tenant_apps.parties.models import Party
from tenant_apps.products.models import TaxRate


def parties(count: int) -> list[Party]:
    return [Party.objects.create(name=f"Party {number}") for number in range(count)]


def test_each_with_its_own_values(tenant: Any, django_assert_num_queries: Any) -> None:
    rows = parties(3)
    texts = ["", "quote ' \" \\ {a,b} NULL", "Ünïcødé 株式会社\nnew line"]
    for number, row in enumerate(rows):
        row.sector = texts[number]
        row.payment_terms_days = None if number == 0 else number
        row.owner_id = None

    with django_assert_num_queries(1):
        found = update_columns(rows, fields=["sector", "payment_terms_days", "owner"])

    assert found == 3
    for number, row in enumerate(rows):
        row.refresh_from_db()
        assert row.sector == texts[number]
        assert row.payment_terms_days == (None if number == 0 else number)


def test_and_no_other_row_or_column(tenant: Any) -> None:
    one, other = parties(2)
    one.name, one.sector = "Not stored", "retail"

    update_columns([one], fields=["sector"])

    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.name, one.sector, other.sector) == ("Party 0", "retail", "")


def test_with_exact_numbers_and_moments(tenant: Any) -> None:
    rate = TaxRate.objects.create(code="X", name="x", category="S", percent=Decimal("7.125"))
    rate.percent = Decimal("16.005")
    moment = rate.updated_at.replace(year=2020, microsecond=123456)
    rate.updated_at = moment

    update_columns([rate], fields=["percent", "updated_at"])

    rate.refresh_from_db()
    assert (rate.percent, rate.updated_at) == (Decimal("16.005"), moment)
    assert rate.updated_at.date() > date(2019, 12, 31)


def test_says_how_many_rows_there_were(tenant: Any) -> None:
    assert update_columns([Party(id=uuid4(), name="ghost")], fields=["name"]) == 0
    assert update_columns([], fields=["name"]) == 0


def test_refuses_what_is_no_column(tenant: Any) -> None:
    [row] = parties(1)

    with pytest.raises(FieldDoesNotExist):
        update_columns([row], fields=["colour"])
