from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from shared_apps.kernel import clock

from .models import OutboxMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How far the news of this tenant is behind."""

    waiting: int
    failing: int
    oldest: datetime | None
    given_up: int


def backlog() -> Backlog:
    """Messages not yet delivered, those of them that have failed before, and those given up."""
    open_messages = OutboxMessage.objects.open().aggregate(
        waiting=Count("id"), failing=Count("id", filter=~Q(last_error="")), oldest=Min("created_at")
    )
    return Backlog(**open_messages, given_up=OutboxMessage.objects.given_up().count())


def given_up_messages() -> QuerySet[OutboxMessage]:
    """What nobody will try again unless a person says so, newest first."""
    return OutboxMessage.objects.given_up().order_by("-failed_at")


def has_due_messages() -> bool:
    """Whether the relay would find work in this tenant now."""
    return OutboxMessage.objects.due(at=clock.now()).exists()
