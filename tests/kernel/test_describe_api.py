"""The OpenAPI document, made from what the views declare."""

from typing import Any

import jsonschema
import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.kernel import exhibits


@pytest.fixture(scope="module")
def document() -> Any:
    GENERATOR_STATS.reset()
    document = SchemaGenerator(urlconf=exhibits).get_schema(request=None, public=True)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    return document


def parameters_of(operation: Any) -> dict[str, Any]:
    return {parameter["name"]: parameter for parameter in operation.get("parameters", [])}


def test_is_valid_and_of_version_3_1(document: Any) -> None:
    validate_schema(document)
    assert document["openapi"].startswith("3.1")


def test_every_operation_may_answer_a_problem(document: Any) -> None:
    for path, item in document["paths"].items():
        if path.startswith("/api/health/"):
            # Answered before the API, by what cannot fail in its ways.
            continue
        for operation in item.values():
            for status in ("400", "401", "403", "404", "429", "503", "default"):
                assert operation["responses"][status]["$ref"].startswith("#/components/responses/")
    problem = document["components"]["responses"]["Conflict"]["content"]
    assert list(problem) == ["application/problem+json"]


def test_describes_the_problem_that_is_answered(document: Any) -> None:
    from shared_apps.kernel.api.problems import problem_for
    from shared_apps.kernel.errors import BadInput

    schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    problem = problem_for(BadInput.field("a", detail="No."), request_id="r")
    jsonschema.validate(problem, schema)


def test_inputs_take_nothing_else(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["OrderInRequest"]["additionalProperties"] is False
    assert schemas["PatchedOrderInRequest"]["additionalProperties"] is False
    assert schemas["LineInRequest"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["ThingOut"]
    assert schemas["Money"]["additionalProperties"] is False


def test_statuses_are_those_that_the_view_answers(document: Any) -> None:
    paths = document["paths"]
    assert "201" in paths["/api/v1/things/"]["post"]["responses"]
    assert "204" in paths["/api/v1/things/{id}/"]["delete"]["responses"]
    assert "201" in paths["/api/v1/things/{id}/refusal/"]["post"]["responses"]
    assert "requestBody" not in paths["/api/v1/things/{id}/refusal/"]["post"]


def test_a_list_declares_its_parameters(document: Any) -> None:
    operation = document["paths"]["/api/v1/mails/"]["get"]
    names = set(parameters_of(operation))
    assert names == {
        "cursor", "page_size", "ordering", "template", "created_after", "created_before",
    }  # fmt: skip
    page = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert page == {"$ref": "#/components/schemas/PaginatedMailOutList"}


def test_a_single_thing_declares_its_own(document: Any) -> None:
    paths = document["paths"]
    assert set(parameters_of(paths["/api/v1/things/{id}/"]["get"])) == {"id", "expand"}
    assert set(parameters_of(paths["/api/v1/things/report/"]["get"])) == {
        "since",
        "until",
        "expand",
    }
    assert parameters_of(paths["/api/v1/things/{id}/"]["get"])["id"]["schema"]["format"] == "uuid"
    assert "If-Match" in parameters_of(paths["/api/v1/things/{id}/"]["patch"])


def test_a_relation_is_an_id_or_the_thing_itself(document: Any) -> None:
    thing = document["components"]["schemas"]["ThingOut"]
    assert {"$ref": "#/components/schemas/PartOut"} in thing["properties"]["part"]["anyOf"]
    assert "part" not in thing["required"]


def test_an_envelope_is_described_as_one(document: Any) -> None:
    content = document["paths"]["/api/v1/single/"]["get"]["responses"]["200"]["content"]
    enveloped = content["application/vnd.kontor.envelope+json"]["schema"]
    assert enveloped["properties"]["data"] == content["application/json"]["schema"]
