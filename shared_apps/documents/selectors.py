from __future__ import annotations

from typing import IO

import structlog

from shared_apps.kernel.errors import NotFound

from .errors import ForeignPath, StorageDown
from .models import Document
from .storage import open_for_reading

logger = structlog.get_logger(__name__)


def content_of(document: Document) -> IO[bytes]:
    """The stored bytes of a document as a binary file; the caller closes it.

    :raises NotFound: the storage has no such file any more.
    :raises StorageDown: the storage does not answer.
    """
    try:
        return open_for_reading(document.storage_path)
    except ForeignPath:
        raise
    except FileNotFoundError as error:
        logger.error("document_lost", document_id=str(document.pk))
        raise NotFound("The content of this document is gone.") from error
    except Exception as error:
        logger.exception("storage_failed", document_id=str(document.pk))
        raise StorageDown(retry_after=30) from error
