"""What a benchmark must reach, and whether it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Figure = float | int | str


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A figure's bounds, both included; its unit is the figure's own."""

    at_least: float | None = None
    at_most: float | None = None

    def met_by(self, figure: Figure | None) -> bool:
        """Answer whether the figure lies within; a missing one or a text does not."""
        if figure is None or isinstance(figure, str):
            return False
        above = self.at_least is None or figure >= self.at_least
        return above and (self.at_most is None or figure <= self.at_most)

    def as_json(self) -> dict[str, float]:
        """Answer the bounds that are set."""
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        return {name: bound for name, bound in bounds.items() if bound is not None}


def report(
    *, name: str, figures: Mapping[str, Figure], goals: Mapping[str, Goal]
) -> dict[str, object]:
    """Answer the object that ends a benchmark's output."""
    return {
        "name": name,
        "figures": {
            label: round(figure, 4) if isinstance(figure, float) else figure
            for label, figure in figures.items()
        },
        "goals": {label: goal.as_json() for label, goal in goals.items()},
        "met": all(goal.met_by(figures.get(label)) for label, goal in goals.items()),
    }
