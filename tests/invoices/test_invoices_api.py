"""Invoices through the API ..."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from shared_apps.documents.models import Document
from tenant_apps.invoices.models import Invoice, InvoiceApproval, InvoiceSeries
from tests.cast import Cast
from tests.deals.stories import a_client
from tests.invoices.test_record_allocations import allocate, an_invoice


def test_are_listed_as_far_as_the_role_reaches(cast: Cast) -> None:
    own, teammates, other = (an_invoice(cast, owner=name) for name in ("olga", "paul", "oscar"))
    wanted = {
        "olga": {own},
        "oscar": {other},
        "lea": {own, teammates},
        "vera": {own, teammates, other},
        "sam": {own, teammates, other},
        "ada": {own, teammates, other},
    }

    for name, invoices in wanted.items():
        caller = cast.api(name)
        rows = caller.get("invoices/").json()["results"]
        assert {row["id"] for row in rows} == {str(invoice.pk) for invoice in invoices}, name
        for invoice in (own, teammates, other):
            expected = 200 if invoice in invoices else 404
            assert caller.get(f"invoices/{invoice.pk}/").status_code == expected
            assert caller.get(f"invoices/{invoice.pk}/pdf/").status_code == expected


def test_one_is_shown_with_lines_and_tax(cast: Cast) -> None:
    invoice = an_invoice(cast, closed_on=date(2026, 3, 9), name="Solar roof")

    answer = cast.api("olga").get(f"invoices/{invoice.pk}/")

    body = answer.json()
    assert (body["number"], body["state"]) == ("INV-2026-0001", "issued")
    assert body["total"] == {"amount": "1250.00", "currency": "KES"}
    assert body["outstanding"] == body["total"]
    assert [line["description"] for line in body["lines"]] == ["Solar roof"]
    assert body["tax_totals"][0]["category"] == "O"
    assert body["recipient_details"]["name"] == "Mto Traders"
    assert answer["ETag"] == '"1"'


def test_cost_the_same_statements_for_one_and_for_twenty(cast: Cast) -> None:
    vera = cast.api("vera")
    an_invoice(cast)
    queries = (
        "",
        "?expand=recipient,deal.client,deal.owner",
        "?is_approved=false",
        "?overdue_on=2030-01-01",
    )
    assert vera.get("invoices/").status_code == 200  # the routing has cached the host by now
    counts: dict[str, list[int]] = {}
    for _ in range(2):
        for query in queries:
            assert vera.get(f"invoices/{query}").status_code == 200
            counts.setdefault(query, []).append(len(vera.statements))
        for _ in range(19):
            an_invoice(cast)

    assert all(one == twenty for one, twenty in counts.values()), counts


def test_are_found_by_state_client_and_day(cast: Cast) -> None:
    client = a_client(cast, name="Ziwa Stores")
    one = an_invoice(cast, closed_on=date(2026, 1, 1), client_id=client.pk)
    other = an_invoice(cast, closed_on=date(2026, 6, 1))
    allocate(cast, other, "1.00")
    vera = cast.api("vera")

    def found(query: str) -> list[str]:
        return [row["id"] for row in vera.get(f"invoices/?{query}").json()["results"]]

    assert found("state=issued") == [str(one.pk)]
    assert found("state=partly_paid") == [str(other.pk)]
    assert found(f"recipient={client.pk}") == [str(one.pk)]
    assert found("issued_from=2026-02-01") == [str(other.pk)]
    assert found("overdue_on=2026-02-15") == [str(one.pk)]
    assert found("number=inv-2026-0001") == [str(one.pk)]
    assert found("ordering=-issued_on") == [str(other.pk), str(one.pk)]


@pytest.mark.parametrize(
    "query", ["state=void", "owner=1", "ordering=owner", "expand=lines", "q=1"]
)
def test_a_query_that_is_not_declared_is_refused(cast: Cast, query: str) -> None:
    assert cast.api("vera").get(f"invoices/?{query}").status_code == 400


def test_are_neither_added_nor_edited_nor_deleted_by_hand(cast: Cast) -> None:
    invoice = an_invoice(cast)
    for name in ("olga", "sam", "ada", "vera"):
        caller = cast.api(name)
        assert caller.post("invoices/", {}).status_code == 405
        assert caller.patch(f"invoices/{invoice.pk}/", {}).status_code == 405
        assert caller.delete(f"invoices/{invoice.pk}/").status_code == 405

    assert Invoice.objects.get().version == 1


def test_the_pdf_is_fetched_by_a_link_that_needs_no_sign_in(cast: Cast) -> None:
    invoice = an_invoice(cast)
    shown = cast.api("olga").get(f"invoices/{invoice.pk}/pdf/").json()

    assert shown["content_type"] == "application/pdf"
    visitor = APIClient(HTTP_HOST="acme.kontor.test")
    file: Any = visitor.get(shown["url"])
    assert file.status_code == 200
    assert b"".join(file.streaming_content).startswith(b"%PDF-")


def test_the_pdfs_link_is_no_good_next_door(cast: Cast) -> None:
    shown = cast.api("olga").get(f"invoices/{an_invoice(cast).pk}/pdf/").json()

    answer = APIClient(HTTP_HOST="neighbour.kontor.test").get(shown["url"])

    assert answer.status_code in (403, 404)


def test_are_approved_by_the_verifier_once(cast: Cast) -> None:
    invoice = an_invoice(cast)
    vera = cast.api("vera")

    first = vera.post(f"invoices/{invoice.pk}/approval/", {"comment": "Right"})
    again = vera.post(f"invoices/{invoice.pk}/approval/", {})

    assert (first.status_code, first.json()["comment"]) == (201, "Right")
    assert (again.status_code, again.json()["code"]) == (409, "invoice_already_approved")
    assert vera.get(f"invoices/{invoice.pk}/").json()["is_approved"] is True


@pytest.mark.parametrize(
    ("name", "status"),
    [("olga", 403), ("lea", 403), ("sam", 403), ("ada", 403), ("paul", 404), ("oscar", 404)],
)
def test_are_approved_by_nobody_else(cast: Cast, name: str, status: int) -> None:
    invoice = an_invoice(cast)

    assert cast.api(name).post(f"invoices/{invoice.pk}/approval/", {}).status_code == status

    assert not InvoiceApproval.objects.exists()


def test_an_unknown_one_is_not_found_by_anybody(cast: Cast) -> None:
    for rest in ("", "pdf/"):
        assert cast.api("sam").get(f"invoices/{uuid4()}/{rest}").status_code == 404
    assert not Document.objects.exists()


def test_the_terms_are_changed_by_admins_only(cast: Cast) -> None:
    series = InvoiceSeries.objects.get()
    path = f"invoice-series/{series.pk}/"

    assert cast.api("olga").get(path).status_code == 403
    assert cast.api("sam").patch(path, {"note": "x"}).status_code == 403
    assert cast.api("ada").patch(path, {"payment_terms_days": 400}).status_code == 400
    changed = cast.api("ada").patch(path, {"payment_terms_days": 14}, HTTP_IF_MATCH='"1"')
    assert (changed.status_code, changed.json()["payment_terms_days"]) == (200, 14)
    assert cast.api("ada").patch(path, {"note": "x"}, HTTP_IF_MATCH='"1"').status_code == 412

    invoice = an_invoice(cast, closed_on=date(2026, 1, 1))
    assert invoice.due_on == date(2026, 1, 15)


def test_show_no_deal_in_full_that_the_caller_may_not_see(cast: Cast) -> None:
    from shared_apps.access.services import grant_object

    invoice = an_invoice(cast)
    grant_object(
        actor=cast.system,
        user_id=cast.user("oscar").pk,
        permission="invoices.view_invoice",
        subject=invoice,
    )
    oscar, olga = cast.api("oscar"), cast.api("olga")
    path = f"invoices/{invoice.pk}/?expand=deal.owner,recipient"

    assert oscar.get(path).json()["deal"] is None
    assert oscar.get(path).json()["recipient"]["name"] == "Mto Traders"
    assert olga.get(path).json()["deal"]["owner"]["full_name"] == "Olga"
