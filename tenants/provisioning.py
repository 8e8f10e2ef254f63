"""What an organization finds in its schema on its first day: each app registers its part.

Most of it is the same for everybody and is written when a spare schema is built; what depends on
the organization is written when it claims the schema.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared_apps.kernel.actor import Actor
from tenants import content_types
from tenants.models import Organization


class Seed(Protocol):
    """Writes an app's first rows. Runs inside the organization's context and a transaction."""

    def __call__(self, organization: Organization, *, actor: Actor) -> None: ...


class SpareSeed(Protocol):
    """Writes first rows that no organization differs in. Runs inside a spare schema, in a
    transaction, before anybody claims it. It may run again: what stands is left alone."""

    def __call__(self, *, actor: Actor) -> None: ...


@dataclass(frozen=True, slots=True, order=True)
class _Registered:
    order: int
    name: str


@dataclass(frozen=True, slots=True)
class _Versioned:
    function: SpareSeed
    version: Callable[[], str]
    renewed: bool


_seeds: dict[_Registered, Seed] = {}
_spare_seeds: dict[_Registered, _Versioned] = {}


def register_seed(order: int, name: str, function: Seed) -> None:
    """Register at start-up, from an app's `ready()`. Lower orders run first."""
    _seeds[_Registered(order, name)] = function


def register_spare_seed(
    order: int,
    name: str,
    function: SpareSeed,
    *,
    version: Callable[[], str],
    renewed: bool = False,
) -> None:
    """Register at start-up what is written when a spare schema is built, before any `Seed`.

    With `renewed` it also runs in every organization that exists when the fleet is migrated: what
    a release brings new (a role, a line of the chart) reaches those who came before it.

    `version` answers a text that differs whenever the rows would. It is a part of the schemas'
    fingerprint: a spare that was seeded with another one is never claimed.
    """
    _spare_seeds[_Registered(order, name)] = _Versioned(function, version, renewed)


def spare_seeds_version() -> str:
    """One short text for everything that the spare seeds write."""
    texts = [
        f"{registered.order} {registered.name} {_spare_seeds[registered].version()}"
        for registered in sorted(_spare_seeds)
    ]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def seed_spare(*, actor: Actor) -> None:
    """Run every registered spare seed, in order."""
    for registered in sorted(_spare_seeds):
        _spare_seeds[registered].function(actor=actor)


def renew(*, actor: Actor) -> None:
    """Run what is renewed with each release, in order, in a schema that is at work."""
    for registered in sorted(_spare_seeds):
        if _spare_seeds[registered].renewed:
            _spare_seeds[registered].function(actor=actor)


def seed(organization: Organization, *, actor: Actor) -> None:
    """Run every registered seed, in order."""
    content_types.remember_all()
    for registered in sorted(_seeds):
        _seeds[registered](organization, actor=actor)
