"""What counts as the same request."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from shared_apps.idempotency.api.requests import content_hash, rewind_files
from shared_apps.kernel.api.parsers import StrictJSONParser


def as_json(text: str, query: str = "") -> str:
    request = APIRequestFactory().generic(
        "POST", f"/till/{query}", text, content_type="application/json"
    )
    return content_hash(Request(request, parsers=[StrictJSONParser()]))


def as_form(**fields: Any) -> Request:
    request = APIRequestFactory().post("/till/", fields, format="multipart")
    return Request(request, parsers=[MultiPartParser()])


def proof(content: bytes, name: str = "proof.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/png")


@pytest.mark.parametrize(
    "other", ['{"b":2,"a":1}', '{ "a": 1,\n "b": 2 }', '{"\\u0061": 1, "b": 2}']
)
def test_spelling_does_not_count(other: str) -> None:
    assert as_json('{"a": 1, "b": 2}') == as_json(other)


@pytest.mark.parametrize("other", ['{"a": "1", "b": 2}', '{"a": 1}', "[]", '{"a": 1, "b": null}'])
def test_content_counts(other: str) -> None:
    assert as_json('{"a": 1, "b": 2}') != as_json(other)


def test_the_query_counts_but_not_the_rehearsal() -> None:
    assert as_json("{}", "?a=1&b=2") == as_json("{}", "?b=2&a=1&dry_run=true")
    assert as_json("{}", "?a=1") != as_json("{}", "?a=2")


def test_files_count_by_their_content() -> None:
    one = content_hash(as_form(amount="5", proof=proof(b"one")))

    assert one == content_hash(as_form(amount="5", proof=proof(b"one")))
    assert one != content_hash(as_form(amount="5", proof=proof(b"two")))
    assert one != content_hash(as_form(amount="5", proof=proof(b"one", "other.png")))
    assert one != content_hash(as_form(amount="6", proof=proof(b"one")))


def test_files_can_be_read_after_hashing_and_again_after_a_deadlock() -> None:
    request = as_form(proof=proof(b"content"))
    content_hash(request)

    assert request.FILES["proof"].read() == b"content"
    rewind_files(request)
    assert request.FILES["proof"].read() == b"content"
