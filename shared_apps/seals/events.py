from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsAnchored(Event):
    """Heads were written down on the platform, and the organization wants to be told.

    Each head is a text: chain, segment, rows up to it, digest.
    """

    app: ClassVar[str] = "seals"
    subject_type: ClassVar[str] = "tenants.organization"

    heads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsDropped(Event):
    """Retention has dropped the rows of a sealed segment; its digest stays."""

    app: ClassVar[str] = "seals"
    subject_type: ClassVar[str] = "seals.segment"

    chain: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSettingsChanged(Event):
    app: ClassVar[str] = "seals"
    subject_type: ClassVar[str] = "seals.sealsetting"

    fields: tuple[str, ...]
