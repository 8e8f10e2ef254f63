"""The OpenAPI documents of both hosts, and what they say about one answer."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

METHODS = ("get", "post", "put", "patch", "delete")
HOSTS = {"organization": "config.urls_tenant", "platform": "config.urls_public"}


@cache
def document_of(urlconf: str) -> Any:
    """The document that `/api/schema/` of the host serves."""
    generator: Any = SchemaGenerator(urlconf=urlconf)  # type: ignore[no-untyped-call]
    return generator.get_schema(request=None, public=True)


def spelled(route: str) -> str:
    """A route as the document spells its address."""
    path = re.sub(r"<\w+:(\w+)>", lambda found: "{" + found[1] + "}", route)
    return "/" + path.replace("{pk}", "{id}")


def operation_of(document: Any, method: str, route: str) -> Any:
    return document["paths"][spelled(route)][method.lower()]


def fault_of(document: Any, method: str, route: str, answer: Any) -> str:
    """How an answer differs from what the document says of it; empty when it does not."""
    responses = operation_of(document, method, route)["responses"]
    status = str(answer.status_code)
    described = responses.get(status)
    if described is None:
        return f"{status} is not described, only {sorted(responses)}"
    described = resolved(document, described)
    content = described.get("content", {})
    if not content:
        return "" if not answer.content else f"{status} has a body that is not described"
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    if kind not in content:
        return f"{status} is {kind}, not {sorted(content)}"
    if not kind.endswith("json"):
        return ""
    schema = {**content[kind]["schema"], "components": document["components"]}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    errors = [
        f"{error.json_path}: {error.message[:200]}"
        for error in validator.iter_errors(json.loads(answer.content))
    ]
    return "; ".join(errors[:3])


def resolved(document: Any, node: Any) -> Any:
    """The node, or what its `$ref` points to.

    :raises KeyError: it points to nothing.
    """
    while "$ref" in node:
        place = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            place = place[name.replace("~1", "/").replace("~0", "~")]
        node = place
    return node
