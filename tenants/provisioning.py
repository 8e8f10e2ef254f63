"""What an organization finds in its schema on its first day: each app registers its part."""

from dataclasses import dataclass
from typing import Protocol

from shared_apps.kernel.actor import Actor
from tenants.models import Organization


class Seed(Protocol):
    """Writes an app's first rows. Runs inside the organization's context and a transaction."""

    def __call__(self, organization: Organization, *, actor: Actor) -> None: ...


@dataclass(frozen=True, slots=True, order=True)
class _Registered:
    order: int
    name: str


_seeds: dict[_Registered, Seed] = {}


def register_seed(order: int, name: str, function: Seed) -> None:
    """Register at start-up, from an app's `ready()`. Lower orders run first."""
    _seeds[_Registered(order, name)] = function


def seed(organization: Organization, *, actor: Actor) -> None:
    """Run every registered seed, in order."""
    for registered in sorted(_seeds):
        _seeds[registered](organization, actor=actor)
