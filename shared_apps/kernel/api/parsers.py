"""Bodies are read strictly and in bounded size."""

import json
import re
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer

from shared_apps.kernel.errors import MalformedRequest, TooLarge

_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1
_MAX_DIGITS = 20
# What reads the data later recurses too, from a deeper stack than the parser's.
_MAX_DEPTH = 64
_DEFAULT_LIMIT = 2_621_440
_DEFAULT_UPLOAD_LIMIT = 25 * 1024 * 1024

# Only these escapes can bring in what PostgreSQL cannot store; a plain text has neither.
_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|\x00")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """JSON as interoperable programs write it (RFC 7493).

    Refused: other encodings than UTF-8, repeated names, integers beyond 64 bits, numbers
    that are not finite, NUL, lone surrogates, and nesting without end.
    """

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        text = _decoded(_read_bounded(stream))
        try:
            data = json.loads(
                text,
                object_pairs_hook=_object,
                parse_int=_integer,
                parse_float=_number,
                parse_constant=_constant,
            )
        except RecursionError:
            raise MalformedRequest("The JSON is nested too deeply.") from None
        except json.JSONDecodeError as exc:
            raise MalformedRequest(
                f"The JSON is broken at line {exc.lineno}, column {exc.colno}."
            ) from None
        if text.count("[") + text.count("{") > _MAX_DEPTH:
            _refuse_deep(data)
        if _SUSPICIOUS.search(text):
            _refuse_unstorable(data)
        return data


class LimitedFormParser(FormParser):
    """Form bodies in bounded size."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        _refuse_large(stream, _limit())
        return super().parse(stream, media_type, parser_context)


class UploadParser(MultiPartParser):
    """Files beside fields, `UPLOAD_MAX_BYTES` at most together; Django bounds the fields.

    The service that stores a file has a limit of its own for its kind.
    """

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        _refuse_large(stream, getattr(settings, "UPLOAD_MAX_BYTES", _DEFAULT_UPLOAD_LIMIT))
        return super().parse(stream, media_type, parser_context)


def _limit() -> int:
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or _DEFAULT_LIMIT


def _read_bounded(stream: IO[bytes]) -> bytes:
    limit = _limit()
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"A body has at most {limit} bytes here.")
    return body


def _refuse_large(stream: Any, limit: int) -> None:
    # A server hands over as many bytes as the header says, and none without it.
    length = str(getattr(stream, "META", {}).get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length[:19]) > limit:
        raise TooLarge(f"A body has at most {limit} bytes here.")


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequest("The body is not UTF-8.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedRequest("A name stands twice in one JSON object.")
    return found


def _integer(text: str) -> int:
    value = int(text) if len(text) <= _MAX_DIGITS else _MAX_INTEGER + 1
    if not _MIN_INTEGER <= value <= _MAX_INTEGER:
        raise MalformedRequest("An integer in the JSON does not fit in 64 bits.")
    return value


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise MalformedRequest("A number in the JSON is not finite.")
    return value


def _constant(text: str) -> float:
    raise MalformedRequest(f"{text} is not JSON.")


def _refuse_deep(value: Any) -> None:
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if not isinstance(item, dict | list):
            continue
        if depth > _MAX_DEPTH:
            raise MalformedRequest("The JSON is nested too deeply.")
        inner = item.values() if isinstance(item, dict) else item
        waiting.extend((part, depth + 1) for part in inner)


def _refuse_unstorable(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if _UNSTORABLE.search(item):
                raise MalformedRequest("A text holds a NUL or half a character.")
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
