"""Mail into a folder, one readable file each: the default, until EMAIL_URL names a server."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from shared_apps.kernel import clock


class FolderBackend(BaseEmailBackend):
    """Writes ``<time>-<recipient>-<random>.eml`` into EMAIL_FILE_PATH, whole or not at all."""

    def __init__(self, *args: Any, file_path: str | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.folder = Path(file_path or settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            self._write(message)
        return len(email_messages)

    def _write(self, message: EmailMessage) -> None:
        moment = clock.now().strftime("%Y%m%dT%H%M%S.%fZ")
        recipient = re.sub(r"[^A-Za-z0-9.@_-]", "_", ",".join(message.to))[:80]
        path = self.folder / f"{moment}-{recipient}-{uuid.uuid4().hex[:8]}.eml"
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(message.message().as_bytes())
        unfinished.chmod(0o600)
        unfinished.rename(path)
