"""Query parameters: the declared ones, and no other."""

from typing import Any

import pytest

from tests.kernel.conftest import Api

AN_ID = "1f0b9a52-7c5d-4f11-9d39-3a1f6b7c8d9e"


def errors_of(response: Any) -> dict[str, str]:
    return {error["pointer"]: error["code"] for error in response.json()["errors"]}


@pytest.mark.usefixtures("tenant")
def test_takes_filters_order_and_page(api: Api) -> None:
    query = "template=x&created_after=2026-01-01&ordering=-sent&page_size=5"
    assert api.get(f"mails/?{query}").status_code == 200


@pytest.mark.parametrize(
    "name", ["bogus", "Template", "template__in", "id", "format", "expand", "q[]"]
)
def test_refuses_what_is_not_declared(api: Api, name: str) -> None:
    response = api.get(f"mails/?{name}=1&page_size=5")
    assert response.status_code == 400
    assert response.json()["code"] == "unknown_parameter"
    assert errors_of(response) == {f"/{name}": "unknown_parameter"}


@pytest.mark.parametrize(
    "path", [f"things/{AN_ID}/?page_size=5", f"things/{AN_ID}/?ordering=x", "single/?cursor=x"]
)
def test_a_single_thing_takes_no_list_parameters(api: Api, path: str) -> None:
    assert api.get(path).json()["code"] == "unknown_parameter"


def test_an_unsafe_request_takes_none_either(api: Api) -> None:
    assert api.post("things/?force=1", {}).json()["code"] == "unknown_parameter"


def test_refuses_a_parameter_given_twice(api: Api) -> None:
    response = api.get("mails/?page_size=5&page_size=6")
    assert response.status_code == 400
    assert errors_of(response) == {"/page_size": "repeated_parameter"}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("created_after=yesterday", "/created"),
        ("template=%00", "/template"),
        ("ordering=to", "/ordering"),
        ("ordering=", "/ordering"),
        ("ordering=--sent", "/ordering"),
        ("ordering=sent,", "/ordering"),
        ("ordering=sent,sent,sent,sent", "/ordering"),
        ("ordering=sent__year", "/ordering"),
    ],
)
@pytest.mark.usefixtures("tenant")
def test_refuses_a_wrong_value(api: Api, query: str, pointer: str) -> None:
    response = api.get(f"mails/?{query}")
    assert response.status_code == 400
    assert pointer in errors_of(response)


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize("query", ["template=%ff%fe", "template=" + "x" * 3000, "template="])
def test_finds_nothing_by_an_odd_value(api: Api, query: str) -> None:
    assert api.get(f"mails/?{query}").status_code == 200


def test_reads_declared_parameters(api: Api) -> None:
    assert api.get("things/report/?since=2026-01-01").json() == {"since": "2026-01-01"}
    assert errors_of(api.get("things/report/")) == {"/since": "required"}
    assert errors_of(api.get("things/report/?since=x&until=y")) == {
        "/since": "invalid",
        "/until": "invalid",
    }


def test_expands_declared_relations(api: Api) -> None:
    plain = api.get(f"things/{AN_ID}/").json()
    assert plain == {"reference": "T-1", "version": 3}
    assert api.get(f"things/{AN_ID}/?expand=part").json() == {**plain, "part": {"name": "wheel"}}


@pytest.mark.parametrize("expand", ["nothing", "part.maker", "part.a.b", "part,", "part," * 20])
def test_expands_nothing_else(api: Api, expand: str) -> None:
    response = api.get(f"things/{AN_ID}/?expand={expand}")
    assert response.status_code == 400
    assert errors_of(response) == {"/expand": "invalid"}
