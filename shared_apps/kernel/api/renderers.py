"""Answers as JSON, plain or in an envelope."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer


class EnvelopeRenderer(JSONRenderer):
    """Wraps the answer for clients that ask for it: {"status": "Success", "data": ...}.

    Failures come as problem details all the same.
    """

    media_type = "application/vnd.kontor.envelope+json"
    format = "envelope"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        response = (renderer_context or {}).get("response")
        if response is not None and (response.status_code == 204 or response.status_code >= 400):
            return super().render(data, accepted_media_type, renderer_context)
        wrapped = {"status": "Success", "data": data}
        return super().render(wrapped, accepted_media_type, renderer_context)
