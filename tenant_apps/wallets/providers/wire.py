"""What providers send, read strictly: an answer that is not understood is no answer."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from shared_apps.kernel.api.parsers import StrictJSONParser
from shared_apps.kernel.errors import DomainError

from .base import ChargeAnswer, Outcome, Unclear

ANSWER_BYTES = 64 * 1024
PROVIDER_REFERENCE_LENGTH = 64
REASON_LENGTH = 200
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


def read_answer(body: bytes, *, reference: UUID) -> ChargeAnswer:
    """What a body says of a reference. Members that we do not know are left alone.

    :raises Unclear: it is too long, no JSON, about something else, or not of the form.
    """
    if len(body) > ANSWER_BYTES:
        raise Unclear("the answer is too long")
    try:
        document = StrictJSONParser().parse(BytesIO(body))
    except DomainError as refusal:
        raise Unclear("the answer is no JSON that can be relied on") from refusal
    if not isinstance(document, dict):
        raise Unclear("the answer is no JSON object")
    if _text(document, "reference", 64).lower() != str(reference):
        raise Unclear("the answer is about something else")
    outcome = _text(document, "outcome", 16)
    if outcome not in _OUTCOMES:
        raise Unclear("the answer has an outcome that is not known")
    return ChargeAnswer(
        outcome=Outcome(outcome),
        provider_reference=_text(document, "provider_reference", PROVIDER_REFERENCE_LENGTH),
        reason=_text(document, "reason", REASON_LENGTH),
    )


def _text(document: dict[str, Any], name: str, longest: int) -> str:
    value = document.get(name, "")
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise Unclear(f"the answer's {name} is not of the form")
    return value
