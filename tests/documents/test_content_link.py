from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core import signing
from django.test import Client

from shared_apps.documents.links import content_link
from shared_apps.documents.models import Document
from shared_apps.documents.services import store_document
from shared_apps.kernel import clock
from shared_apps.kernel.ids import uuid7
from tenants.context import tenant_context
from tests.audit.news import a_person
from tests.documents import files
from tests.documents.files import upload

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stored(content: bytes = files.PDF, name: str = "a.pdf", kind: str = "application/pdf") -> Any:
    return store_document(file=upload(content, name, kind), kind="payment_proof", actor=a_person())


def get(link: str, host: str = "acme.kontor.test", **headers: str) -> Any:
    return Client(headers={"host": host, **headers}).get(link)


def signature_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["signature"][0]


def refuses(answer: Any) -> None:
    assert answer.status_code == 403
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer.json()["code"] == "document_link_refused"
    assert b"%PDF" not in answer.content


def test_serves_the_content_without_sign_in(tenant: Any) -> None:
    answer = get(content_link(stored()))

    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == files.PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="a.pdf"'
    assert answer["Content-Length"] == str(len(files.PDF))


def test_tells_browsers_to_run_nothing_guess_nothing_and_keep_nothing(tenant: Any) -> None:
    picture = stored(files.picture(), "a.jpg", "image/jpeg")
    answer = get(content_link(picture, inline=True))

    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Content-Disposition"] == 'inline; filename="a.jpg"'


def test_names_in_other_scripts_stand_encoded_in_the_header(tenant: Any) -> None:
    document = stored(files.PDF, 'Ngũgĩ"\r\nX-Evil: 1.pdf')
    answer = get(content_link(document))
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''Ng%C5%A9g")
    assert "X-Evil" not in answer.headers


def test_refuses_a_link_that_is_too_old(tenant: Any) -> None:
    with clock.frozen(NOON) as time:
        link = content_link(stored())
        time.advance(minutes=15)
        assert get(link).status_code == 200
        time.advance(seconds=1)
        refuses(get(link))


def test_a_link_can_live_longer_but_never_longer_than_a_week(tenant: Any) -> None:
    document = stored()
    with clock.frozen(NOON) as time:
        link = content_link(document, valid_for=timedelta(days=3))
        time.advance(days=2)
        assert get(link).status_code == 200
    with pytest.raises(ValueError):
        content_link(document, valid_for=timedelta(days=8))


@pytest.mark.parametrize("signature", ["", "x", "a:b:c", "\x00", "é", "A" * 9000])
def test_refuses_what_is_no_signature(tenant: Any, signature: str) -> None:
    document = stored()
    query = urlencode({"signature": signature})
    answer = get(f"/api/v1/documents/{document.pk}/content/?{query}")
    assert answer.status_code in (400, 403)
    assert b"%PDF" not in answer.content


def test_refuses_a_changed_signature(tenant: Any) -> None:
    link = content_link(stored())
    last = "A" if link[-1] != "A" else "B"
    refuses(get(link[:-1] + last))


def test_refuses_a_signature_for_another_document(tenant: Any) -> None:
    mine, other = stored(), stored()
    query = urlencode({"signature": signature_of(content_link(mine))})
    refuses(get(f"/api/v1/documents/{other.pk}/content/?{query}"))


def test_refuses_a_signature_made_for_another_purpose(tenant: Any) -> None:
    from tenants.signing import sign

    document = stored()
    value = {"document": document.pk.hex, "until": 4_000_000_000, "inline": True}
    for token in (sign(value, purpose="accounts.reset"), signing.dumps(value)):
        query = urlencode({"signature": token})
        refuses(get(f"/api/v1/documents/{document.pk}/content/?{query}"))


def test_refuses_a_signature_of_another_organization_even_for_an_equal_id(
    organization: Any, neighbour: Any
) -> None:
    """Both have a document with this id; the neighbour's link opens the neighbour's only."""
    with tenant_context(organization):
        mine = stored()
    with tenant_context(neighbour):
        theirs = stored(files.picture(), "a.jpg", "image/jpeg")
        twin = Document.objects.create(
            id=mine.pk,
            kind="payment_proof",
            file_name="twin.jpg",
            content_type="image/jpeg",
            size=theirs.size,
            sha256=theirs.sha256,
            storage_path=f"{neighbour.id}/00/twin.jpg",
        )
        foreign = content_link(twin)
    refuses(get(foreign))
    assert get(foreign, host="kontor.test").status_code == 404


def test_a_document_that_is_not_there_is_not_found(tenant: Any) -> None:
    ghost = Document(id=uuid7())
    answer = get(content_link(ghost))
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_only_reads(tenant: Any) -> None:
    link = content_link(stored())
    client = Client(headers={"host": "acme.kontor.test"})
    for method in (client.post, client.put, client.patch, client.delete):
        assert method(link).status_code == 405


def test_refuses_query_parameters_that_it_does_not_know(tenant: Any) -> None:
    answer = get(content_link(stored()) + "&download=1")
    assert answer.status_code == 400


@pytest.mark.parametrize("accept", ["application/pdf", "image/*", "text/html", "nonsense"])
def test_serves_whatever_type_a_browser_says_it_expects(tenant: Any, accept: str) -> None:
    assert get(content_link(stored()), accept=accept).status_code == 200
