"""What an HTTP request means to idempotency: its key, and the hash of what it asks for."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from shared_apps.idempotency.errors import KeyMalformed
from shared_apps.kernel import ids
from shared_apps.kernel.errors import BadInput

KEY_HEADER = "Idempotency-Key"
DRY_RUN = "dry_run"
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_TRUTH = {"true": True, "false": False}


def key_of(request: Any) -> str | None:
    """The request's key, None where it carries none.

    :raises KeyMalformed: it is empty, too long, or has characters that are not visible ASCII.
    """
    key: str | None = request.headers.get(KEY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise KeyMalformed
    return key


def is_dry_run(request: Any) -> bool:
    """Whether the caller only wants to see what would happen.

    :raises BadInput: `dry_run` is neither true nor false.
    """
    text = request.query_params.get(DRY_RUN, "false")
    if text not in _TRUTH:
        raise BadInput.field(DRY_RUN, detail="It is true or false.")
    return _TRUTH[text]


def content_hash(request: Any) -> str:
    """Equal for requests that ask for the same: same query and same content, however spelled."""
    query = sorted(
        (name, values) for name, values in request.query_params.lists() if name != DRY_RUN
    )
    return ids.request_hash({"query": query, "body": _content(request.data)})


def rewind_files(request: Any) -> None:
    """Let the next reader of the uploaded files begin at their beginning."""
    for _, files in request.FILES.lists():
        for file in files:
            file.seek(0)


def _content(data: Any) -> Any:
    if not isinstance(data, QueryDict):
        return data
    # A form: several values may have one name, and files count by what is in them.
    return {name: [_form_value(value) for value in values] for name, values in data.lists()}


def _form_value(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return {"file": value.name, "type": value.content_type, "sha256": digest.hexdigest()}
