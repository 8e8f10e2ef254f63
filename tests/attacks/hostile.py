"""Requests that no friendly client would send, made from the API's own description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

NOBODY = "00000000-0000-0000-0000-000000000000"

# Where the things stand that a body names.
COLLECTIONS = {
    "client": "clients",
    "deal": "deals",
    "lead": "users",
    "owner": "users",
    "parent": "teams",
    "parent_company": "clients",
    "product": "products",
    "tax_rate": "tax-rates",
    "unit": "units",
    "user": "users",
}
SCALARS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63 - 1,
    -(2**63),
    0.1,
    1e308,
    "",
    " ",
    "x" * 10_000,
    "a\x7f\u202e\u0085b",
    "\U0001f4b8" * 300,
    "' OR 1=1; --",
    "%s %(x)s {0} {{7*7}} ${7*7}",
    "../../../etc/passwd",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59.999999-23:59",
    "-1",
    "1e400",
    "NaN",
    NOBODY,
    "00000000000000000000000000000000000000000000000000000000000000000000",
    [],
    [[]],
    [None],
    {},
    {"amount": "1.00"},
    {"amount": "92233720368547758.07", "currency": "KES"},
    {"amount": "-1.00", "currency": "KES"},
    {"amount": "1.00", "currency": "ZZZ"},
    [{}] * 300,
)
QUERY_VALUES: tuple[str, ...] = (
    "", "%00", "%ff%fe", "-1", "0", "1e400", "NaN", "Infinity", "9" * 30, "x" * 2000, "true",
    "null", NOBODY, "not-an-id", "2026-02-30", "0001-01-01", "9999-12-31",
    "9999-12-31T23:59:59-23:59",
    "%27%20OR%201=1", "a,b,,c", "[]", "%F0%9F%92%B8",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one address, as the document describes it."""

    method: str
    path: str
    query: tuple[str, ...]
    body: dict[str, Any] | None
    responses: dict[str, Any] = field(repr=False)
    components: dict[str, Any] = field(repr=False)

    def undescribed(self, status: int, data: Any) -> str:
        """In what a successful answer differs from its description; empty when in nothing."""
        described = self.responses.get(str(status))
        if described is None:
            return f"{status} is not described"
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return f"{status} has a body that is not described" if data is not None else ""
        validator = Draft202012Validator({"components": self.components, **schema})
        error = best_match(validator.iter_errors(data))
        return f"{status}: {error.json_path} {error.message[:200]}" if error else ""

    def at(self, known: Mapping[str, str] | None = None, *, identifier: str = NOBODY) -> str:
        """The address, its variables filled in with ids that exist, as far as they are known."""
        parts = self.path.split("/")
        for index, part in enumerate(parts):
            if part.startswith("{"):
                parts[index] = (known or {}).get(parts[index - 1], identifier)
        return "/".join(parts)

    def bodies(self, known: Mapping[str, str], *, wrong: bool = True) -> Iterator[Any]:
        """A friendly body, then some that are wrong altogether or in one place each."""
        if wrong:
            yield from ([], "x", 1, None, {}, {"__proto__": 1, "surprise": 1})
        if self.body is None:
            return
        properties = self._resolved(self.body).get("properties", {})
        friendly = {
            name: known.get(COLLECTIONS.get(name.removesuffix("_id"), ""), self._friendly(inner))
            for name, inner in properties.items()
        }
        yield friendly
        for name in properties if wrong else ():
            for value in SCALARS:
                yield {**friendly, name: value}

    def _friendly(self, schema: Any, depth: int = 0) -> Any:
        schema = self._resolved(schema)
        for choice in ("oneOf", "anyOf", "allOf"):
            if choice in schema:
                return self._friendly(schema[choice][0], depth)
        if schema.get("enum"):
            return schema["enum"][0]
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object" and depth < 4:
            inner = schema.get("properties", {})
            if set(inner) == {"amount", "currency"}:
                return {"amount": "10.00", "currency": "KES"}
            return {name: self._friendly(part, depth + 1) for name, part in inner.items()}
        if kind == "array":
            return [self._friendly(schema.get("items", {}), depth + 1)]
        by_format = {
            "uuid": NOBODY,
            "date": "2026-01-31",
            "date-time": "2026-01-31T08:00:00+00:00",
            "email": "bob@example.test",
            "decimal": "1.00",
            "uri": "https://example.test/",
        }
        if kind == "string":
            return by_format.get(schema.get("format", ""), "A")
        return {"integer": 1, "number": 1, "boolean": True}.get(str(kind), {})

    def _resolved(self, schema: Any) -> Any:
        while "$ref" in schema:
            schema = self.components["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema


def operations(urlconf: str) -> list[Operation]:
    """Every operation that the URL configuration's document describes."""
    generator: Any = SchemaGenerator
    document = generator(urlconf=urlconf).get_schema(request=None, public=True)
    found = []
    for path, item in document["paths"].items():
        if path.startswith("/api/health/"):
            # Answered before the API: not ready is 503 here, where no worker runs.
            continue
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            found.append(
                Operation(
                    method=method.upper(),
                    path=path,
                    query=tuple(
                        parameter["name"]
                        for parameter in operation.get("parameters", [])
                        if parameter["in"] == "query"
                    ),
                    body=content.get("application/json", {}).get("schema"),
                    responses=operation["responses"],
                    components=document["components"],
                )
            )
    return found
