"""Files as private raw resources at Cloudinary.

They are kept as they are and never get a public address: reading goes through an address signed
for a minute and then through our own link.
"""

from __future__ import annotations

import time
import urllib.request
from typing import Any
from urllib.error import HTTPError

import cloudinary.uploader
import cloudinary.utils
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

_SECONDS = 20
_ADDRESS_SECONDS = 60


@deconstructible
class CloudinaryStorage(Storage):
    def __init__(self, *, cloud: str, key: str, secret: str) -> None:
        self._account = {"cloud_name": cloud, "api_key": key, "api_secret": secret}

    def _save(self, name: str, content: File[bytes]) -> str:
        cloudinary.uploader.upload(
            content.read(),
            public_id=name,
            resource_type="raw",
            type="authenticated",
            overwrite=False,
            timeout=_SECONDS,
            **self._account,
        )
        return name

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        address = cloudinary.utils.private_download_url(
            name,
            "",
            resource_type="raw",
            type="authenticated",
            expires_at=int(time.time()) + _ADDRESS_SECONDS,
            **self._account,
        )
        # The library builds the address: its scheme and host are Cloudinary's.
        try:
            with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310
                return ContentFile(answer.read(), name=name)
        except HTTPError as error:
            if error.code == 404:
                raise FileNotFoundError(name) from error
            raise

    def exists(self, name: str) -> bool:
        return False  # ids make paths unique, and `overwrite=False` guards the rest

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def delete(self, name: str) -> None:
        cloudinary.uploader.destroy(
            name, resource_type="raw", type="authenticated", timeout=_SECONDS, **self._account
        )

    def url(self, name: str | None) -> Any:
        raise NotImplementedError("Documents have no public address.")
