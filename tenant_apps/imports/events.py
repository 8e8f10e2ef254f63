from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesBookImported(Event):
    app: ClassVar[str] = "imports"
    subject_type: ClassVar[str] = "imports.importrun"
    verifier_id: UUID
    recorded: int
    unchanged: int
    mended: int
    refused: int
