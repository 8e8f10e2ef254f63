from dataclasses import dataclass
from typing import ClassVar

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStored(Event):
    """A file was checked and stored. Its name is left out: names often tell about people."""

    app: ClassVar[str] = "documents"
    subject_type: ClassVar[str] = "documents.document"

    kind: str
    content_type: str
    size: int
    sha256: str
