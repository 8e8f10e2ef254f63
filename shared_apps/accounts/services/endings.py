"""Ending sessions: the step that every reason to end one shares."""

from __future__ import annotations

from uuid import UUID

from shared_apps.accounts.events import SessionEnded
from shared_apps.accounts.models import Session
from shared_apps.audit.services import record_all
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step


@step
def end_all_sessions(
    *, user_id: UUID, reason: str, actor: Actor, except_session_id: UUID | None = None
) -> int:
    """Within the caller's transaction: end a person's sessions; how many there were."""
    live = Session.objects.filter(user_id=user_id, revoked_at__isnull=True)
    if except_session_id is not None:
        live = live.exclude(pk=except_session_id)
    locked = list(live.order_by("pk").for_change())
    return len(end(sessions=locked, reason=reason, actor=actor))


@step
def end(*, sessions: list[Session], reason: str, actor: Actor) -> list[Session]:
    """Within the caller's transaction: end sessions that the caller has locked."""
    now = clock.now()
    Session.objects.filter(pk__in=[session.pk for session in sessions]).update(
        revoked_at=now, revoked_reason=reason, updated_at=now
    )
    for session in sessions:
        session.revoked_at, session.revoked_reason = now, reason
    record_all(
        [
            SessionEnded(subject_id=session.id, user_id=session.user_id, reason=reason)
            for session in sessions
        ],
        actor=actor,
    )
    return sessions
