from dataclasses import dataclass
from typing import ClassVar

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupRepaired(Event):
    """Figures that were not what the facts give were put right; `rows` says how many."""

    app: ClassVar[str] = "dashboards"
    subject_type: ClassVar[str] = "tenants.organization"

    rows: int
