"""Payments through the API."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission

from tenant_apps.approvals.models import Approval
from tenant_apps.deals.models import Deal
from tenant_apps.ledger.models import Transfer
from tenant_apps.payments.models import Payment, PaymentGrant, PaymentInvoice
from tenants.context import current_organization, tenant_context
from tests.cast import Cast
from tests.documents.files import picture, upload
from tests.payments.stories import (
    a_client,
    a_payment,
    a_verified_payment,
    a_won_deal,
    an_open_deal,
    kes,
)

MONEY = {"amount": "1250.00", "currency": "KES"}


def body(of: Deal, **values: Any) -> dict[str, Any]:
    return {
        "deal": str(of.pk),
        "method": "mobile_money",
        "amount": MONEY,
        "paid_on": "2026-03-10",
        **values,
    }


class TestRecording:
    def test_answers_the_payment_with_its_payment_invoice(self, cast: Cast) -> None:
        deal = an_open_deal(cast)
        answer = cast.api("olga").post("payments/", body(deal, external_reference="QX1"))
        assert answer.status_code == 201, answer.json()
        shown = answer.json()
        assert shown["reference"].startswith("TXN-")
        assert (shown["state"], shown["amount"]) == ("pending", MONEY)
        assert shown["payment_invoice"]["state"] == "pending"
        assert shown["unapplied"] == {"amount": "0.00", "currency": "KES"}
        assert shown["unapplied_reason"] is None
        assert answer["ETag"] == '"1"'

    def test_demands_an_idempotency_key(self, cast: Cast) -> None:
        deal = an_open_deal(cast)
        answer = cast.api("olga").post("payments/", body(deal), key=None)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
        assert not Payment.objects.exists()

    def test_records_once_for_one_key(self, cast: Cast) -> None:
        deal, olga, key = an_open_deal(cast), cast.api("olga"), str(uuid4())
        first = olga.post("payments/", body(deal), key=key)
        again = olga.post("payments/", body(deal), key=key)
        assert again.json() == first.json()
        assert again["Idempotency-Replayed"] == "true"
        assert Payment.objects.count() == 1

    def test_changes_nothing_in_a_dry_run(self, cast: Cast) -> None:
        answer = cast.api("olga").post("payments/?dry_run=true", body(an_open_deal(cast)))
        assert answer.status_code == 201
        assert not Payment.objects.exists()
        assert not Approval.objects.exists()

    @pytest.mark.parametrize(
        ("values", "status", "code"),
        [
            ({"amount": {"amount": "0.00", "currency": "KES"}}, 400, "validation_error"),
            ({"amount": {"amount": "1250", "currency": "KES"}}, 400, "validation_error"),
            ({"amount": "1250.00"}, 400, "validation_error"),
            ({"amount": {"amount": "5.00", "currency": "USD"}}, 422, "payment_currency_differs"),
            ({"paid_on": "2126-01-01"}, 422, "paid_in_future"),
            ({"method": "barter"}, 400, "validation_error"),
            ({"deal": str(uuid4())}, 400, "invalid_input"),
            ({"deal": "x"}, 400, "validation_error"),
            ({"state": "verified"}, 400, "validation_error"),
            ({"recorded_by": str(uuid4())}, 400, "validation_error"),
        ],
    )
    def test_says_what_is_wrong(
        self, cast: Cast, values: dict[str, Any], status: int, code: str
    ) -> None:
        answer = cast.api("olga").post("payments/", body(an_open_deal(cast), **values))
        assert answer.status_code == status, answer.json()
        assert answer["Content-Type"] == "application/problem+json"
        assert not Payment.objects.exists()


class TestVerifying:
    def test_says_what_stays_unapplied_and_why(self, cast: Cast) -> None:
        waiting = a_payment(cast, an_open_deal(cast))
        vera = cast.api("vera")
        answer = vera.post(f"payments/{waiting.pk}/verification/", {"remarks": "seen"})
        assert answer.status_code == 201, answer.json()
        shown = answer.json()
        assert (shown["state"], shown["unapplied"]) == ("verified", MONEY)
        assert shown["unapplied_reason"] == "no_invoice_yet"
        assert shown["decided_by"] == str(cast.user("vera").pk)
        assert shown["payment_invoice"]["state"] == "approved"

        deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
        total = deal.invoices.get().total
        over = a_payment(cast, deal, total + kes("7.50"))
        shown = vera.post(f"payments/{over.pk}/verification/", {}).json()
        assert shown["unapplied"] == {"amount": "7.50", "currency": "KES"}
        assert shown["unapplied_reason"] == "nothing_owed"
        assert shown["allocations"][0]["amount"] == total.to_json()

    def test_says_that_the_invoice_is_another_clients(self, cast: Cast) -> None:
        deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
        deal.invoices.update(recipient=a_client(cast, name="Ziwa Limited"))
        payment = a_verified_payment(cast, deal, kes("100.00"))
        shown = cast.api("vera").get(f"payments/{payment.pk}/").json()
        assert shown["unapplied"] == {"amount": "100.00", "currency": "KES"}
        assert shown["unapplied_reason"] == "invoice_of_another"

    def test_demands_an_idempotency_key(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api("vera").post(f"payments/{payment.pk}/verification/", {}, key=None)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")

    def test_changes_nothing_in_a_dry_run(self, cast: Cast) -> None:
        payment = a_payment(cast, a_won_deal(cast, closed_on=date(2026, 3, 1)))
        answer = cast.api("vera").post(f"payments/{payment.pk}/verification/?dry_run=true", {})
        assert (answer.status_code, answer.json()["state"]) == (201, "verified")
        payment.refresh_from_db()
        assert payment.state == "pending"
        assert not Transfer.objects.filter(source_id=payment.pk).exists()

    def test_refuses_a_stale_etag(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        cast.api("olga").patch(f"payments/{payment.pk}/", {"note": "second cheque"})
        answer = cast.api("vera").post(
            f"payments/{payment.pk}/verification/", {}, HTTP_IF_MATCH='"1"'
        )
        assert answer.status_code == 412

    def test_is_refused_a_second_time(self, cast: Cast) -> None:
        payment = a_verified_payment(cast, an_open_deal(cast))
        answer = cast.api("vera").post(f"payments/{payment.pk}/verification/", {})
        assert (answer.status_code, answer.json()["code"]) == (409, "payment_already_decided")

    @pytest.mark.parametrize(
        ("name", "status"),
        [("olga", 403), ("lea", 403), ("sam", 403), ("ada", 403), ("oscar", 404), ("paul", 404)],
    )
    @pytest.mark.parametrize("act", ["verification", "rejection"])
    def test_is_the_verifiers_alone(self, cast: Cast, name: str, status: int, act: str) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api(name).post(f"payments/{payment.pk}/{act}/", {"remarks": "no"})
        assert answer.status_code == status, answer.json()
        payment.refresh_from_db()
        assert payment.state == "pending"


class TestRejecting:
    def test_keeps_the_remarks_and_books_nothing(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api("vera").post(
            f"payments/{payment.pk}/rejection/", {"remarks": "not on the statement"}
        )
        assert answer.status_code == 201, answer.json()
        shown = answer.json()
        assert (shown["state"], shown["remarks"]) == ("rejected", "not on the statement")
        assert shown["payment_invoice"]["state"] == "void"
        assert not Transfer.objects.filter(source_id=payment.pk).exists()
        assert Approval.objects.get(subject_id=payment.pk).state == "rejected"

    @pytest.mark.parametrize("remarks", [{}, {"remarks": ""}, {"remarks": " "}])
    def test_demands_remarks(self, cast: Cast, remarks: dict[str, str]) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api("vera").post(f"payments/{payment.pk}/rejection/", remarks)
        assert answer.status_code == 400


class TestAmending:
    def test_asks_for_the_signature_anew(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api("olga").patch(
            f"payments/{payment.pk}/", {"amount": {"amount": "900.00", "currency": "KES"}}
        )
        assert answer.status_code == 200, answer.json()
        assert (answer.json()["amount"]["amount"], answer["ETag"]) == ("900.00", '"2"')
        states = Approval.objects.filter(subject_id=payment.pk).order_by("created_at")
        assert list(states.values_list("state", flat=True)) == ["voided", "pending"]

    def test_makes_the_editor_a_maker(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        cast.api("lea").patch(f"payments/{payment.pk}/", {"note": "checked"})
        pending = Approval.objects.get(subject_id=payment.pk, state="pending")
        assert pending.maker_id == cast.user("lea").pk

    def test_refuses_a_stale_etag(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        olga = cast.api("olga")
        olga.patch(f"payments/{payment.pk}/", {"note": "a"}, HTTP_IF_MATCH='"1"')
        answer = olga.patch(f"payments/{payment.pk}/", {"note": "b"}, HTTP_IF_MATCH='"1"')
        assert answer.status_code == 412

    def test_is_refused_once_decided(self, cast: Cast) -> None:
        payment = a_verified_payment(cast, an_open_deal(cast))
        answer = cast.api("olga").patch(f"payments/{payment.pk}/", {"note": "late"})
        assert (answer.status_code, answer.json()["code"]) == (409, "payment_already_decided")

    def test_refuses_another_currency(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api("olga").patch(
            f"payments/{payment.pk}/", {"amount": {"amount": "9.00", "currency": "USD"}}
        )
        assert answer.json()["code"] == "payment_currency_differs"


class TestWithdrawing:
    def test_takes_the_request_back(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api("olga").post(f"payments/{payment.pk}/withdrawal/")
        assert answer.status_code == 201, answer.json()
        assert answer.json()["state"] == "withdrawn"
        assert Approval.objects.get(subject_id=payment.pk).state == "recalled"

    def test_takes_no_body(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api("olga").post(f"payments/{payment.pk}/withdrawal/", {"state": "verified"})
        assert answer.status_code == 400

    def test_is_the_makers_alone(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = cast.api("lea").post(f"payments/{payment.pk}/withdrawal/")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_the_maker")


class TestProof:
    def upload(self, cast: Cast, payment: Payment, content: bytes, name: str) -> Any:
        with tenant_context(current_organization()):
            return cast.api("olga")._client.post(
                f"/api/v1/payments/{payment.pk}/proof/",
                {"file": upload(content, name, "application/octet-stream")},
                format="multipart",
                HTTP_IDEMPOTENCY_KEY=str(uuid4()),
            )

    def test_is_kept_and_voids_the_request_before(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = self.upload(cast, payment, picture(), "slip.jpg")
        assert answer.status_code == 201, answer.json()
        proof = answer.json()["proof"]
        assert proof["content_type"] == "image/jpeg"
        assert proof["link"].startswith("/api/v1/documents/")
        states = Approval.objects.filter(subject_id=payment.pk).order_by("created_at")
        assert list(states.values_list("state", flat=True)) == ["voided", "pending"]

    @pytest.mark.parametrize(
        ("content", "name"),
        [(b"MZ\x90\x00", "slip.exe"), (b"<svg onload=alert(1)>", "slip.png"), (b"", "slip.png")],
    )
    def test_refuses_what_is_no_picture_or_pdf(self, cast: Cast, content: bytes, name: str) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        answer = self.upload(cast, payment, content, name)
        assert answer.status_code == 400, answer.json()
        payment.refresh_from_db()
        assert payment.proof_id is None


class TestQueue:
    def test_shows_the_oldest_first(self, cast: Cast) -> None:
        deal = an_open_deal(cast)
        first, done, last = (
            a_payment(cast, deal),
            a_verified_payment(cast, deal),
            a_payment(cast, deal, method="cheque"),
        )
        vera = cast.api("vera")
        shown = [row["id"] for row in vera.get("verification-queue/").json()["results"]]
        assert shown == [str(first.pk), str(last.pk)]
        assert str(done.pk) not in shown
        cheques = vera.get("verification-queue/?method=cheque").json()["results"]
        assert [row["id"] for row in cheques] == [str(last.pk)]

    @pytest.mark.parametrize("name", ["olga", "lea", "sam", "ada"])
    def test_is_the_verifiers(self, cast: Cast, name: str) -> None:
        assert cast.api(name).get("verification-queue/").status_code == 403


class TestListing:
    def test_shows_each_what_they_may_see(self, cast: Cast) -> None:
        mine = a_payment(cast, an_open_deal(cast))
        theirs = a_payment(cast, an_open_deal(cast, owner="oscar"), by="oscar")
        seen = {
            name: {row["id"] for row in cast.api(name).get("payments/").json()["results"]}
            for name in ("olga", "oscar", "paul", "lea", "vera", "sam", "ada")
        }
        both = {str(mine.pk), str(theirs.pk)}
        assert seen == {
            "olga": {str(mine.pk)},
            "oscar": {str(theirs.pk)},
            "paul": set(),
            "lea": {str(mine.pk)},
            "vera": both,
            "sam": both,
            "ada": both,
        }
        assert cast.api("oscar").get(f"payments/{mine.pk}/").status_code == 404

    def test_narrows_and_orders(self, cast: Cast) -> None:
        deal = an_open_deal(cast)
        small = a_payment(cast, deal, kes("1.00"), paid_on=date(2026, 1, 1))
        large = a_payment(cast, deal, kes("9.00"), method="card")
        olga = cast.api("olga")

        def ids(query: str) -> list[str]:
            return [row["id"] for row in olga.get(f"payments/?{query}").json()["results"]]

        assert ids("ordering=amount") == [str(small.pk), str(large.pk)]
        assert ids("ordering=-amount") == [str(large.pk), str(small.pk)]
        assert ids("method=card") == [str(large.pk)]
        assert ids("paid_to=2026-01-31") == [str(small.pk)]
        assert ids(f"deal={uuid4()}") == []
        assert ids("state=verified") == []

    def test_shows_relations_in_full_as_far_as_they_may_be_seen(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        path = f"payments/{payment.pk}/?expand=deal.client,client"
        shown = cast.api("olga").get(path).json()
        assert shown["deal"]["reference"] == shown["deal_reference"]
        assert shown["deal"]["client"]["name"] == shown["client"]["name"] == shown["client_name"]
        PaymentGrant.objects.create(
            user=cast.user("paul"),
            permission=Permission.objects.get(
                codename="view_payment", content_type__app_label="payments"
            ),
            content_object=payment,
        )
        shared = cast.api("paul").get(path).json()
        assert (shared["id"], shared["deal"]) == (str(payment.pk), None)
        assert shared["deal_reference"] == shown["deal_reference"]

    @pytest.mark.parametrize(
        "query",
        [
            "expand=proof",
            "expand=deal.unit",
            "colour=red",
            "state=lost",
            "ordering=note",
            "page_size=0",
            "cursor=x",
            "deal=1",
        ],
    )
    def test_refuses_what_it_does_not_know(self, cast: Cast, query: str) -> None:
        assert cast.api("olga").get(f"payments/?{query}").status_code == 400

    @pytest.mark.parametrize(
        "path",
        [
            "payments/",
            "payments/?expand=deal.client,client",
            "verification-queue/",
            "verification-queue/?expand=deal.product",
            "payment-invoices/",
        ],
    )
    def test_costs_the_same_statements_for_one_row_and_for_twenty(
        self, cast: Cast, path: str
    ) -> None:
        vera = cast.api("vera")
        # The first request of a host reads its organization; from then on it is cached.
        vera.get(path)
        deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
        counts = []
        for wanted in (1, 20):
            while Payment.objects.pending().count() < wanted:
                a_payment(cast, deal, kes("1.00"))
                a_verified_payment(cast, deal, kes("1.00"))
            assert vera.get(path).status_code == 200
            counts.append(len(vera.statements))
        assert counts[0] == counts[1]


class TestPaymentInvoices:
    def test_are_printed_when_first_asked_for(self, cast: Cast) -> None:
        payment = a_verified_payment(cast, an_open_deal(cast))
        invoice = PaymentInvoice.objects.get(payment=payment)
        olga = cast.api("olga")
        first = olga.get(f"payment-invoices/{invoice.pk}/document/")
        assert first.status_code == 200, first.json()
        assert first.json()["content_type"] == "application/pdf"
        again = cast.api("vera").get(f"payment-invoices/{invoice.pk}/document/")
        assert again.json()["id"] == first.json()["id"]
        content = olga.get(first.json()["link"])
        assert b"".join(content.streaming_content).startswith(b"%PDF-")

    def test_are_not_printed_before_they_are_approved(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        invoice = PaymentInvoice.objects.get(payment=payment)
        answer = cast.api("olga").get(f"payment-invoices/{invoice.pk}/document/")
        assert (answer.status_code, answer.json()["code"]) == (409, "payment_invoice_not_approved")

    def test_follow_the_visibility_of_the_deal(self, cast: Cast) -> None:
        payment = a_payment(cast, an_open_deal(cast))
        invoice = PaymentInvoice.objects.get(payment=payment)
        assert cast.api("oscar").get(f"payment-invoices/{invoice.pk}/").status_code == 404
        assert cast.api("olga").get(f"payment-invoices/{invoice.pk}/").json()["state"] == "pending"
