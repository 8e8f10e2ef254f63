"""The OpenAPI documents: every route and no other, without a warning, and good for types."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.attacks.document import HOSTS, METHODS, document_of, resolved, spelled

# The document does not describe itself; what stands beside /api/ are pages for people.
THE_DOCUMENT = "/api/schema/"
# An audit entry's payload and the changes of a field hold whatever the event or field holds.
_SHAPES = "/components/schemas"
FREE = (
    f"{_SHAPES}/AuditEntryOut/properties/payload/",
    f"{_SHAPES}/FieldChangeOut/properties/changes/",
)

hosts = pytest.mark.parametrize("urlconf", HOSTS.values(), ids=HOSTS)


def routed(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from routed(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            yield spelled(address), _methods_of(pattern.callback)


def _methods_of(callback: Any) -> set[str]:
    actions = getattr(callback, "actions", None)
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    return {
        method for method in METHODS if (method in actions if actions else hasattr(view, method))
    }


def nodes(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every object of the document with its place. An empty security means that none is asked."""
    if isinstance(node, dict):
        yield place, node
        for name, inner in node.items():
            if name != "security":
                yield from nodes(inner, f"{place}/{name}")
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from nodes(inner, f"{place}/{number}")


@hosts
def test_is_made_without_a_warning(urlconf: str) -> None:
    GENERATOR_STATS.reset()
    generator: Any = SchemaGenerator(urlconf=urlconf)  # type: ignore[no-untyped-call]
    document = generator.get_schema(request=None, public=True)
    assert GENERATOR_STATS._warn_cache == {}
    assert GENERATOR_STATS._error_cache == {}
    validate_schema(document)
    assert document["openapi"].startswith("3.1")


@hosts
def test_has_every_route_and_no_other(urlconf: str) -> None:
    document = document_of(urlconf)
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    served = {
        (path, method)
        for path, methods in routed(get_resolver(urlconf).url_patterns)
        for method in methods
        if path.startswith("/api/") and path != THE_DOCUMENT
    }
    # The health checks are answered before the routing.
    served |= {("/api/health/", "get"), ("/api/health/ready/", "get")}
    assert described == served


@hosts
def test_every_reference_leads_somewhere(urlconf: str) -> None:
    document = document_of(urlconf)
    for place, node in nodes(document):
        if "$ref" in node:
            assert resolved(document, node) is not None, place


@hosts
def test_every_component_is_used(urlconf: str) -> None:
    document = document_of(urlconf)
    used = {node["$ref"] for _, node in nodes(document) if "$ref" in node}
    for kind in ("schemas", "responses", "headers"):
        for name in document["components"].get(kind, {}):
            assert f"#/components/{kind}/{name}" in used, name


@hosts
def test_every_operation_has_a_name_of_its_own(urlconf: str) -> None:
    names = Counter(
        operation["operationId"]
        for item in document_of(urlconf)["paths"].values()
        for operation in item.values()
    )
    assert [name for name, count in names.items() if count > 1] == []
    # The generator numbers names that collide.
    assert [name for name in names if name.rsplit("_", 1)[-1].isdecimal()] == []


@hosts
def test_no_shape_is_left_empty(urlconf: str) -> None:
    document = document_of(urlconf)
    empty = [place for place, node in nodes(document) if node == {} and not place.startswith(FREE)]
    assert empty == []
    for place, node in nodes(document["paths"], "/paths"):
        if place.endswith("/schema"):
            assert {"type", "$ref", "oneOf", "anyOf", "allOf", "const"} & set(node), place


@hosts
def test_every_answer_and_body_has_a_shape(urlconf: str) -> None:
    document = document_of(urlconf)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                described = resolved(document, response)
                assert "content" in described or status in {"201", "202", "204"}, (path, method)
            body = operation.get("requestBody")
            assert body is None or body["content"], (path, method)
            assert method != "get" or body is None, path


@pytest.mark.parametrize("urlconf", [None, *HOSTS.values()])
def test_the_command_writes_it(urlconf: str | None, tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    chosen = [] if urlconf is None else ["--urlconf", urlconf]
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json",
        "--file", str(file), *chosen,
    )  # fmt: skip
    assert json.loads(file.read_text())["openapi"].startswith("3.1")


@hosts
@pytest.mark.slow
def test_types_for_typescript_are_made_from_it(urlconf: str, tmp_path: Path) -> None:
    generator, compiler = shutil.which("openapi-typescript"), shutil.which("tsc")
    if generator is None or compiler is None:
        pytest.skip("openapi-typescript and typescript are not installed here")
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(document_of(urlconf)))
    types = tmp_path / "schema.d.ts"
    subprocess.run([generator, file, "-o", types], check=True, timeout=120)
    subprocess.run([compiler, "--noEmit", "--strict", types], check=True, timeout=120)
    assert "export interface paths" in types.read_text()


def takes_a_key(urlconf: str, path: str) -> bool:
    operation = document_of(urlconf)["paths"][path]["post"]
    return any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))


def test_a_key_is_offered_where_the_answer_is_kept_and_nowhere_else() -> None:
    public, tenant = "config.urls_public", "config.urls_tenant"
    assert takes_a_key(public, "/api/v1/signup/")
    assert takes_a_key(tenant, "/api/v1/payments/")
    assert not takes_a_key(public, "/api/v1/signup/verification/")
    for path in (
        "/api/token/",
        "/api/token/refresh/",
        "/api/auth/login/",
        "/api/v1/live-tickets/",
        "/api/v1/second-factor/enrolment/",
        "/api/v1/second-factor/recovery-codes/",
        "/api/v1/login-codes/redemption/",
        "/api/v1/invitations/acceptance/",
    ):
        assert not takes_a_key(tenant, path), path


def test_does_not_depend_on_which_host_was_asked_first() -> None:
    """A process of its own for each order: what a process has loaded stays loaded."""
    program = (
        "import django, sys; django.setup();"
        "from drf_spectacular.generators import SchemaGenerator as Made;"
        "made = [Made(urlconf=each).get_schema(public=True) for each in sys.argv[1:]];"
        "print(sorted(made[-1]['components']['schemas']))"
    )

    def names(*order: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program, *order], check=True, capture_output=True, text=True
        ).stdout

    public, tenant = HOSTS["platform"], HOSTS["organization"]
    assert names(tenant) == names(public, tenant)
