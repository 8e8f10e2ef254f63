"""Where files lie: a local folder, S3, or Cloudinary, by the setting STORAGE_URL.

file:///var/lib/kontor/files
s3://KEY:SECRET@bucket/prefix?region=eu-west-1&endpoint=https://...   (key optional: IAM role)
cloudinary://KEY:SECRET@cloud

Paths begin with the organization's id. The id is compared on every access, so a row that names
a file of another organization opens nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import IO
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage
from storages.backends.s3 import S3Storage

from tenants.context import tenant_marker

from .cloudinary_storage import CloudinaryStorage
from .errors import ForeignPath, StorageMisconfigured


def storage_path(*, document_id: UUID, extension: str) -> str:
    """Made of ids alone: nothing that a client sent becomes part of a path."""
    text = document_id.hex
    return f"{tenant_marker()}/{text[-2:]}/{text}.{extension}"


def write(path: str, content: bytes) -> None:
    """Store new content under a path of `storage_path`.

    :raises ForeignPath: the path is not in the present organization's folder.
    """
    _require_own(path)
    _storage().save(path, ContentFile(content))


def open_for_reading(path: str) -> IO[bytes]:
    """The stored content as a binary file.

    :raises ForeignPath: the path is not in the present organization's folder.
    :raises FileNotFoundError: nothing is stored there.
    """
    _require_own(path)
    opened: IO[bytes] = _storage().open(path, "rb")
    return opened


def _require_own(path: str) -> None:
    if not path.startswith(f"{tenant_marker()}/") or ".." in path:
        raise ForeignPath(path)


def _storage() -> Storage:
    return storage_for(settings.STORAGE_URL)


@lru_cache(maxsize=8)
def storage_for(url: str) -> Storage:
    """The storage that a STORAGE_URL stands for.

    :raises StorageMisconfigured: its scheme is unknown or it names no bucket or cloud.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "file":
            return _NeverOverwriting(
                location=unquote(parts.path),
                file_permissions_mode=0o600,
                directory_permissions_mode=0o700,
            )
        case "s3" if parts.hostname:
            return _s3(parts)
        case "cloudinary" if parts.hostname and parts.username and parts.password:
            return CloudinaryStorage(
                cloud=parts.hostname, key=unquote(parts.username), secret=unquote(parts.password)
            )
    raise StorageMisconfigured("STORAGE_URL is none of file://, s3://bucket, cloudinary://")


class _NeverOverwriting(FileSystemStorage):
    """A document's file is written once: a path that is taken means a defect."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        if self.exists(name):
            raise FileExistsError(name)
        return name


def _s3(parts: SplitResult) -> S3Storage:
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return S3Storage(
        bucket_name=parts.hostname,
        location=unquote(parts.path).strip("/"),
        access_key=unquote(parts.username) if parts.username else None,
        secret_key=unquote(parts.password) if parts.password else None,
        region_name=options.get("region"),
        endpoint_url=options.get("endpoint"),
        addressing_style=options.get("addressing", "auto"),
        default_acl=None,  # private: reading goes through our own signed links only
        querystring_auth=True,
        file_overwrite=True,  # ids make paths unique; a look before each write would cost a call
        max_memory_size=8 * 1024 * 1024,
    )
