"""What the API takes as a body, and how it refuses the rest."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel.conftest import Api

KES = {"amount": "1250.00", "currency": "KES"}
ORDER = {"reference": "A", "amount": KES}


def errors_of(response: Any) -> dict[str, str]:
    return {error["pointer"]: error["code"] for error in response.json()["errors"]}


def test_takes_what_is_declared(api: Api) -> None:
    response = api.post("things/", {**ORDER, "lines": [{"amount": KES}], "currency": "KES"})
    assert response.status_code == 201, response.content
    assert response.json() == {"reference": "A", "amount": KES, "currency": "KES", "lines": 1}


def test_names_every_wrong_place_at_once(api: Api) -> None:
    response = api.post(
        "things/",
        {
            "amount": {"amount": "1.5", "currency": "KES"},
            "a/b.c~d": 1,
            "count": -1,
            "lines": [{"amount": KES}, {"amount": KES, "surprise": 1, "note": "x" * 11}],
        },
    )
    assert response.status_code == 400
    assert errors_of(response) == {
        "/reference": "required",
        "/amount": "invalid_amount",
        "/a~1b.c~0d": "unknown_field",
        "/count": "min_value",
        "/lines/1/surprise": "unknown_field",
        "/lines/1/note": "max_length",
    }


@pytest.mark.parametrize(
    ("amount", "pointer", "code"),
    [
        ("1250.00", "/amount", "invalid"),
        (1250, "/amount", "invalid"),
        (None, "/amount", "null"),
        ([], "/amount", "invalid"),
        ({"amount": 1250.0, "currency": "KES"}, "/amount", "invalid"),
        ({"amount": "1250.00"}, "/amount", "invalid"),
        ({"amount": "1250.00", "currency": "XAU"}, "/amount", "invalid_amount"),
        ({"amount": "1e3", "currency": "JPY"}, "/amount", "invalid_amount"),
        ({"amount": "-0.01", "currency": "KES"}, "/amount", "too_small"),
        ({"amount": "9" * 30 + ".00", "currency": "KES"}, "/amount", "invalid_amount"),
        ({**KES, "scale": 2}, "/amount/scale", "unknown_field"),
    ],
)
def test_refuses_as_money(api: Api, amount: Any, pointer: str, code: str) -> None:
    response = api.post("things/", {"reference": "A", "amount": amount})
    assert response.status_code == 400
    assert errors_of(response) == {pointer: code}


def test_takes_negative_money_only_where_it_is_declared(api: Api) -> None:
    below = {"amount": "-1.00", "currency": "KES"}
    assert api.post("things/", {**ORDER, "balance": below}).status_code == 201
    assert errors_of(api.post("things/", {"reference": "A", "amount": below})) == {
        "/amount": "too_small"
    }


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"reference": "A",}',
        b'{"count": NaN}',
        b'{"count": -Infinity}',
        b'{"count": 1e999}',
        b'{"count": ' + b"9" * 25 + b"}",
        b'{"count": ' + b"9" * 9000 + b"}",
        b'{"count": 9223372036854775808}',
        b'{"count": 1, "count": 2}',
        b'{"reference": "\\u0000"}',
        b'{"reference": "a\x00b"}',
        b'{"reference": "\\ud800"}',
        b'{"reference\\u0000": 1}',
        b'{"reference": "\xff\xfe"}',
        b"\xef\xbb\xbf{}",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"'single'",
    ],
)
def test_says_that_it_cannot_read(api: Api, body: bytes) -> None:
    response = api.post("things/", body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "malformed_request"


@pytest.mark.parametrize("body", [b"[]", b"[1]", b'"x"', b"1", b"null", b"true", b""])
def test_wants_an_object(api: Api, body: bytes) -> None:
    response = api.post("things/", body)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid_input"


def test_keeps_half_pairs_that_make_one_character(api: Api) -> None:
    response = api.post("things/", b'{"reference":"\\ud83d\\ude00","amount":%s}' % _kes())
    assert response.status_code == 201
    assert response.json()["reference"] == "\U0001f600"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "", "application/jsonx", "/", "x"]
)
def test_refuses_other_content_types(api: Api, kind: str) -> None:
    response = api.post("things/", json.dumps(ORDER).encode(), content_type=kind)
    assert response.status_code == 415
    assert response.json()["code"] == "unsupported_media_type"


def test_reads_json_as_utf8_whatever_charset_is_claimed(api: Api) -> None:
    kind = "application/json; charset=utf-99"
    assert api.post("things/", ORDER, content_type=kind).status_code == 201


def test_refuses_a_body_that_is_too_large(api: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert api.post("things/", {**ORDER, "x": "y" * 1000}).status_code == 413
    assert api.post("things/", ORDER).status_code == 201


def test_refuses_an_upload_that_is_too_large(api: Api, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    assert api.client.post("/api/v1/things/", {"reference": "A" * 200}).status_code == 413


def test_refuses_a_body_where_none_is_taken(api: Api) -> None:
    response = api.post("things/1f0b9a52-7c5d-4f11-9d39-3a1f6b7c8d9e/refusal/", {"force": True})
    assert response.status_code == 400
    assert errors_of(response) == {"/force": "unknown_field"}


def test_a_list_of_objects_has_an_end(api: Api) -> None:
    line = {"amount": KES}
    assert api.post("things/", {**ORDER, "lines": [line] * 500}).status_code == 201
    response = api.post("things/", {**ORDER, "lines": [line] * 501})
    assert errors_of(response) == {"/lines": "max_length"}


def test_a_patch_says_only_what_changes(api: Api) -> None:
    path = "things/1f0b9a52-7c5d-4f11-9d39-3a1f6b7c8d9e/"
    assert api.patch(path, {"count": 1}).json()["read"] == ["count"]
    assert api.patch(path, {"lines": [{"amount": KES}]}).json()["read"] == ["lines"]
    assert errors_of(api.patch(path, {"lines": [{"note": "no amount"}], "count": -1})) == {
        "/lines/0/amount": "required",
        "/count": "min_value",
    }


def test_reads_money_from_a_form(api: Api) -> None:
    plain = api.client.post(
        "/api/v1/things/",
        {"reference": "A", "amount.amount": "1250.00", "amount.currency": "KES"},
    )
    assert plain.status_code == 201, plain.content
    as_json = api.client.post("/api/v1/things/", {"reference": "A", "amount": json.dumps(KES)})
    assert as_json.json()["amount"] == plain.json()["amount"] == KES


def test_refuses_unknown_fields_of_a_form(api: Api) -> None:
    response = api.client.post(
        "/api/v1/things/", {"reference": "A", "amount": json.dumps(KES), "surprise": "1"}
    )
    assert response.status_code == 400
    assert errors_of(response) == {"/surprise": "unknown_field"}


@pytest.mark.parametrize("amount", ["{", "[" * 100_000, "1", "\x00", '{"amount": "1.00"}'])
def test_refuses_broken_money_of_a_form(api: Api, amount: str) -> None:
    response = api.client.post("/api/v1/things/", {"reference": "A", "amount": amount})
    assert response.status_code == 400
    assert errors_of(response) == {"/amount": "invalid"}


def test_refuses_a_form_cut_short(api: Api) -> None:
    kind = "multipart/form-data; boundary=x"
    for body in (b"--x", b"--x\r\nContent-Disposition: form-data", b"", b"\xff" * 50):
        assert api.post("things/", body, content_type=kind).status_code == 400
    for bad in ("multipart/form-data", "multipart/form-data; boundary=\xff"):
        assert api.post("things/", b"--x", content_type=bad).status_code in (400, 415)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["reference", "amount", "currency", "lines", "count"]) | st.text(),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_answers_any_json_with_a_problem_or_a_thing(api: Api, body: Any) -> None:
    response = api.post("things/", json.dumps(body).encode())
    assert response.status_code in (201, 400), body


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
def test_answers_any_bytes_with_a_problem(api: Api, body: bytes) -> None:
    assert api.post("things/", body).status_code == 400


def _kes() -> bytes:
    return json.dumps(KES).encode()
