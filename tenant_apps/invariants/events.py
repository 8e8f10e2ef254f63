"""What the watch finds. The subject is the alarm."""

from dataclasses import dataclass
from typing import ClassVar

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantBroken(Event):
    """An invariant that held was found broken; `findings` counts what was kept of it."""

    app: ClassVar[str] = "invariants"
    subject_type: ClassVar[str] = "invariants.invariantalarm"
    invariant: str
    concerns: str
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantRestored(Event):
    """What the alarm was about holds again."""

    app: ClassVar[str] = "invariants"
    subject_type: ClassVar[str] = "invariants.invariantalarm"
    invariant: str
    concerns: str
