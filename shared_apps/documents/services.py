"""Steps that store files. What the actor may attach to what, the calling service has required."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import IO, Any

import structlog
from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.operations import step

from . import storage
from .checks import IMAGES, MEGABYTE, PDF, CheckedFile, checked, safe_name
from .errors import StorageDown
from .events import DocumentStored
from .models import Document

logger = structlog.get_logger(__name__)

_GENERATED_EXTENSIONS = {"application/pdf": "pdf", "text/csv": "csv", "application/xml": "xml"}


@step
def store_document(
    *,
    file: IO[bytes],
    kind: str,
    actor: Actor,
    allowed: Collection[str] = IMAGES | PDF,
    max_bytes: int = 10 * MEGABYTE,
) -> Document:
    """Check an upload by its content and store what is harmless of it; images get smaller.

    `allowed` are media types of `documents.checks`; `max_bytes` limits the upload itself. The
    file goes to the storage at once and stays there unnamed if the transaction is rolled back:
    the other order could leave a row without its file. Call it before you lock rows, for the
    storage may be far away.

    :raises FileRefused: one of its kinds says what is wrong with the file.
    :raises StorageDown: the storage did not take it.
    """
    claimed: Any = file
    harmless = checked(
        file,
        name=str(getattr(claimed, "name", "") or ""),
        declared_type=str(getattr(claimed, "content_type", "") or ""),
        allowed=allowed,
        max_bytes=max_bytes,
    )
    return _store(harmless, extension=harmless.extension, kind=kind, actor=actor)


@step
def store_bytes(
    *, content: bytes, file_name: str, content_type: str, kind: str, actor: Actor
) -> Document:
    """Store a file that we made ourselves, such as an invoice's PDF. Nothing is checked.

    :raises StorageDown: the storage did not take it.
    :raises KeyError: it is of a type that we do not make.
    """
    extension = _GENERATED_EXTENSIONS[content_type]
    made = CheckedFile(
        content=content,
        content_type=content_type,
        file_name=safe_name(file_name, extension=extension),
    )
    return _store(made, extension=extension, kind=kind, actor=actor)


@transaction.atomic
def _store(file: CheckedFile, *, extension: str, kind: str, actor: Actor) -> Document:
    document_id = uuid7()
    path = storage.storage_path(document_id=document_id, extension=extension)
    try:
        storage.write(path, file.content)
    except Exception as error:
        # Each storage has errors of its own; all of them mean that the file is not safe there.
        logger.exception("storage_failed", document_id=str(document_id))
        raise StorageDown(retry_after=30) from error
    document = Document.objects.create(
        id=document_id,
        kind=kind,
        file_name=file.file_name,
        content_type=file.content_type,
        size=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
        storage_path=path,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    audit.record(
        DocumentStored(
            subject_id=document.pk,
            kind=kind,
            content_type=document.content_type,
            size=document.size,
            sha256=document.sha256,
        ),
        actor=actor,
    )
    return document
