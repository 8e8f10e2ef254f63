"""Links to a document's content that need no sign-in: whoever may see the document gets one.

A link names one document of one organization and works for a quarter of an hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.core.signing import BadSignature
from django.urls import reverse

from shared_apps.kernel import clock
from tenants.signing import sign, unsign

from .errors import LinkRefused
from .models import Document

LINK_LIFE = timedelta(minutes=15)
LONGEST_LINK_LIFE = timedelta(days=7)
_PURPOSE = "documents.content"


def content_link(
    document: Document, *, valid_for: timedelta = LINK_LIFE, inline: bool = False
) -> str:
    """The path and query under which the content can be read for a while, without the host.

    `inline` lets a browser show it in place instead of saving it.

    :raises ValueError: it was to be valid for longer than a week.
    """
    if valid_for > LONGEST_LINK_LIFE:
        raise ValueError("A link without sign-in lives for a week at most.")
    until = clock.now() + valid_for
    signature = sign(
        {"document": document.pk.hex, "until": int(until.timestamp()), "inline": inline},
        purpose=_PURPOSE,
    )
    path = reverse("document-content", kwargs={"document_id": document.pk})
    return f"{path}?{urlencode({'signature': signature})}"


def opened_link(*, document_id: UUID, signature: str) -> bool:
    """Check a link; says whether it asks to be shown inline.

    :raises LinkRefused: wrong, too old, for another document or of another organization.
    """
    try:
        value = unsign(signature, purpose=_PURPOSE, max_age=LONGEST_LINK_LIFE)
    except (BadSignature, ValueError) as error:
        raise LinkRefused() from error
    if value["document"] != document_id.hex:
        raise LinkRefused()
    if clock.now() > datetime.fromtimestamp(value["until"], UTC):
        raise LinkRefused()
    return bool(value["inline"])
