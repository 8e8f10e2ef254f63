"""Cursors over real rows: complete, stable, bounded, and not to be forged."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.delivery.models import Mail
from tenants.context import tenant_context
from tenants.models import Organization
from tests.kernel.conftest import Api

pytestmark = pytest.mark.usefixtures("tenant")
START = datetime(2026, 1, 1, tzinfo=UTC)
PATH = "mails/"


@pytest.fixture
def mails() -> list[Mail]:
    """Sixty rows with many equal values and many nulls."""
    rows = [
        Mail(
            template=f"template-{number % 3}",
            to="bob@example.test",
            attempts=number % 4,
            sent_at=None if number % 3 == 0 else START + timedelta(days=number % 5),
        )
        for number in range(60)
    ]
    return Mail.objects.bulk_create(rows)


def pages_of(api: Api, query: str) -> list[list[str]]:
    url, pages = f"/api/v1/{PATH}?{query}", []
    while url:
        page = api.client.get(url).json()
        pages.append([row["id"] for row in page["results"]])
        url = page["next"]
    return pages


def expected_order(mails: list[Mail], *keys: str) -> list[str]:
    """The order as PostgreSQL has it with nulls last, and ids at the end."""
    ordered = sorted(mails, key=lambda mail: mail.id.int, reverse=keys[-1].startswith("-"))
    for key in reversed(keys):
        name = key.removeprefix("-")
        backwards = key.startswith("-")
        known = [mail for mail in ordered if getattr(mail, name) is not None]
        unknown = [mail for mail in ordered if getattr(mail, name) is None]
        known.sort(key=lambda mail: getattr(mail, name), reverse=backwards)
        ordered = known + unknown
    return [str(mail.id) for mail in ordered]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ("-id",)),
        ("ordering=attempts", ("attempts",)),
        ("ordering=-attempts", ("-attempts",)),
        ("ordering=sent", ("sent_at",)),
        ("ordering=-sent", ("-sent_at",)),
        ("ordering=template,-attempts", ("template", "-attempts")),
        ("ordering=-sent,attempts", ("-sent_at", "attempts")),
        ("ordering=sent,-template,attempts", ("sent_at", "-template", "attempts")),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 60, 200])
def test_shows_every_row_once_and_in_order(
    api: Api, mails: list[Mail], query: str, keys: tuple[str, ...], size: int
) -> None:
    pages = pages_of(api, f"page_size={size}&{query}")
    assert all(len(page) == size for page in pages[:-1])
    assert [row for page in pages for row in page] == expected_order(mails, *keys)


@pytest.mark.parametrize("query", ["", "ordering=sent", "ordering=-sent,attempts"])
def test_walks_back_the_way_it_came(api: Api, mails: list[Mail], query: str) -> None:
    forth, url = [], f"/api/v1/{PATH}?page_size=7&{query}"
    while url:
        page = api.client.get(url).json()
        forth.append([row["id"] for row in page["results"]])
        url, back = page["next"], page["previous"]
    returned = [forth[-1]]
    while back:
        page = api.client.get(back).json()
        returned.insert(0, [row["id"] for row in page["results"]])
        back = page["previous"]
    assert returned == forth


def test_new_rows_shift_nothing(api: Api, mails: list[Mail], tenant: Organization) -> None:
    first = api.get(f"{PATH}?page_size=10").json()
    with tenant_context(tenant):
        Mail.objects.create(template="late", to="bob@example.test")
    second = api.client.get(first["next"]).json()
    shown = [row["id"] for page in (first, second) for row in page["results"]]
    assert shown == expected_order(mails, "-id")[:20]


def test_a_page_after_the_last_row_leads_back(
    api: Api, mails: list[Mail], tenant: Organization
) -> None:
    page = api.get(f"{PATH}?page_size=59").json()
    with tenant_context(tenant):
        Mail.objects.filter(pk=min(mail.pk for mail in mails)).delete()
    empty = api.client.get(page["next"]).json()
    assert (empty["results"], empty["next"]) == ([], None)
    assert api.client.get(empty["previous"]).json()["results"] == page["results"]


def test_an_empty_list_is_one_empty_page(api: Api) -> None:
    assert api.get(f"{PATH}?template=none").json() == {
        "next": None,
        "previous": None,
        "results": [],
    }


def test_keeps_filters_on_every_page(api: Api, mails: list[Mail]) -> None:
    pages = pages_of(api, "template=template-1&page_size=6")
    wanted = {str(mail.id) for mail in mails if mail.template == "template-1"}
    assert {row for page in pages for row in page} == wanted


def test_costs_the_same_however_many_rows_there_are(api: Api, mails: list[Mail]) -> None:
    def statements(query: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert api.get(f"{PATH}?{query}").status_code == 200
        return len([query for query in captured if "delivery_mail" in query["sql"]])

    assert statements("page_size=1") == statements("page_size=60") == 1


@pytest.mark.parametrize("size", ["0", "-1", "201", "1e2", "ten", "", "9" * 50, "1.0", "%D9%A3"])
def test_refuses_a_page_size_out_of_bounds(api: Api, size: str) -> None:
    response = api.get(f"{PATH}?page_size={size}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/page_size"


def _cursor(link: str) -> str:
    return link.split("cursor=")[1].split("&")[0]


def test_refuses_cursors_it_did_not_make(api: Api, mails: list[Mail]) -> None:
    good = _cursor(api.get(f"{PATH}?page_size=5").json()["next"])
    forged = [
        "", "x", "a.b.c", good[:-1], good[1:], good + "x", good.swapcase(), "%00", "%ff",
        "x" * 5000,
    ]  # fmt: skip
    for cursor in forged:
        response = api.get(f"{PATH}?cursor={cursor}")
        assert response.status_code == 400, cursor
        assert response.json()["code"] == "invalid_cursor"


def test_refuses_a_cursor_of_another_order(api: Api, mails: list[Mail]) -> None:
    cursor = _cursor(api.get(f"{PATH}?page_size=5&ordering=attempts").json()["next"])
    assert api.get(f"{PATH}?cursor={cursor}&ordering=attempts").status_code == 200
    for other in ("ordering=-attempts", "ordering=template", ""):
        assert api.get(f"{PATH}?cursor={cursor}&{other}").status_code == 400


def test_an_index_can_seek_a_page(mails: list[Mail]) -> None:
    from shared_apps.kernel.api.cursors import Term
    from shared_apps.kernel.api.pagination import _beyond

    terms = [Term("attempts", False, False), Term("id", False, False)]
    sql = str(Mail.objects.filter(_beyond(terms, [2, UUID(int=1)])).query)
    assert '"attempts" >= 2 AND (' in sql
