"""Names of the groups that sockets listen in. Each carries the organization's id."""

from __future__ import annotations

from uuid import UUID


def payments_group(*, organization_id: UUID) -> str:
    """Everybody who may see any payments; each socket still asks which ones."""
    return f"org.{organization_id}.payments"


def user_group(*, organization_id: UUID, user_id: UUID) -> str:
    """The open sockets of one person."""
    return f"org.{organization_id}.user.{user_id}"
