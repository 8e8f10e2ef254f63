from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from shared_apps.documents.links import opened_link
from shared_apps.documents.models import Document
from shared_apps.documents.selectors import content_of
from shared_apps.kernel.api.views import DomainView
from shared_apps.kernel.errors import NotFound

from .serializers import ContentQuery

# A stored file is shown, never obeyed: no script, no frame, no guessing of its type. Browsers
# refuse to show a PDF in a sandbox at all; their viewer is one.
_NOTHING_RUNS = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"
_POLICIES = {"application/pdf": f"{_NOTHING_RUNS}; object-src 'self'"}


class AnyTypeAccepted(DefaultContentNegotiation):
    """The content has the type it has; only refusals are rendered, and always as JSON."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class DocumentContentView(DomainView):
    """Serves a document's bytes to whoever holds a link that is still good."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    content_negotiation_class = AnyTypeAccepted
    query_parameters = {"get": ContentQuery}

    @extend_schema(
        operation_id="documents_content",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
        auth=[],
    )
    def get(self, request: Request, document_id: UUID) -> FileResponse:
        """The content, as bytes of the document's own media type."""
        inline = opened_link(document_id=document_id, signature=self.read_query()["signature"])
        document = Document.objects.filter(pk=document_id).first()
        if document is None:
            raise NotFound("There is no such document.")
        answer = FileResponse(
            content_of(document),
            as_attachment=not inline,
            filename=document.file_name,
            content_type=document.content_type,
        )
        answer["Content-Length"] = str(document.size)
        answer["Content-Security-Policy"] = _POLICIES.get(
            document.content_type, f"sandbox; {_NOTHING_RUNS}"
        )
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Cache-Control"] = "private, no-store"
        answer["Referrer-Policy"] = "no-referrer"
        return answer
