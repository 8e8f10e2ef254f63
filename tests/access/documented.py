"""Whether an answer is one that the OpenAPI document describes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker


def _shape(path: str) -> str:
    return re.sub(r"<\w+:\w+>|{\w+}", "{}", path.strip("/"))


class Documented:
    """The OpenAPI document of the organization's host."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.paths = {_shape(path): operations for path, operations in document["paths"].items()}
        self.validator = cache(self._validator)

    def complaints(self, method: str, route: str, response: Any) -> set[str]:
        """What the document does not say about this answer."""
        named = f"{method} {route} {response.status_code}"
        operation = self.paths.get(_shape(route), {}).get(method.lower())
        if operation is None:
            return {f"{method} {route}: not in the document"}
        described = self._described(operation["responses"], str(response.status_code))
        if described is None:
            return {f"{named}: this status"}
        content = described.get("content")
        if not content:
            return {f"{named}: a body"} if response.content else set()
        media_type = response.headers.get("Content-Type", "").split(";")[0]
        if media_type not in content:
            return {f"{named}: the type {media_type}"}
        if "json" not in media_type:
            return set()
        errors = self.validator(method, route, str(response.status_code), media_type).iter_errors(
            response.json()
        )
        return {f"{named}: {_place(error)}: {error.message[:150]}" for error in errors}

    def _described(self, responses: dict[str, Any], status: str) -> dict[str, Any] | None:
        found = responses.get(status) or responses.get(f"{status[0]}XX") or responses.get("default")
        while found is not None and "$ref" in found:
            node: Any = self.document
            for part in found["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            found = node
        return found

    def _validator(self, method: str, route: str, status: str, media_type: str) -> Any:
        responses = self.paths[_shape(route)][method.lower()]["responses"]
        described = self._described(responses, status)
        assert described is not None
        schema = described["content"][media_type]["schema"]
        return Draft202012Validator(
            {"components": self.document["components"], **schema}, format_checker=FormatChecker()
        )


def _place(error: Any) -> str:
    return "/".join("*" if isinstance(part, int) else str(part) for part in error.absolute_path)
