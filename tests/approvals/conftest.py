"""A team's renaming that needs a signature, and the people around it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from shared_apps.kernel.actor import Actor
from tenant_apps.approvals import registry
from tenant_apps.approvals.models import Approval
from tenant_apps.teams.models import Team
from tests.access.conftest import (
    admin,
    lead,
    north,
    outsider,
    salesperson,
    south,
    supervisor,
    verifier,
)

__all__ = ["admin", "lead", "north", "outsider", "salesperson", "south", "supervisor", "verifier"]

SUBJECT = "teams.team"
ACTION = "rename"


@dataclass
class Effects:
    """What the engine brought about, in its order."""

    done: list[tuple[UUID, Actor]] = field(default_factory=list)
    declined: list[tuple[UUID, str]] = field(default_factory=list)
    locked_above: list[set[UUID]] = field(default_factory=list)


@pytest.fixture
def effects() -> Iterator[Effects]:
    seen = Effects()

    def effect_all(approvals: Any, *, actor: Actor) -> None:
        seen.done.extend((approval.subject_id, actor) for approval in approvals)

    def declined(subject_id: UUID, *, approval: Approval, actor: Actor) -> None:
        seen.declined.append((subject_id, approval.state))

    def content(team: Team) -> dict[str, Any]:
        return {"name": team.name, "parent_id": team.parent_id}

    registry.register(
        SUBJECT,
        ACTION,
        content=content,
        permission="teams.change_team",
        effect_all=effect_all,
        declined=declined,
        lock_above=lambda ids: seen.locked_above.append(set(ids)),
    )
    yield seen
    registry.unregister(SUBJECT, ACTION)
