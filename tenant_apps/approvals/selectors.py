"""What other apps ask of approvals."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, Q

from shared_apps.access.checker import AccessChecker
from shared_apps.access.rules import visible_q
from shared_apps.kernel.actor import Actor

from .models import Approval, ApprovalQuerySet, Signature


def approvals_visible_to(actor: Actor) -> ApprovalQuerySet:
    """The approvals within the actor's reach, and those the actor asked for.

    Whoever holds no role any more does not see the latter either.
    """
    approvals: ApprovalQuerySet = Approval.objects.all()
    if not isinstance(actor.checker, AccessChecker):
        return actor.visible(approvals, "approvals.view_approval")
    reached = visible_q(
        access=actor.checker.access, permission="approvals.view_approval", model=Approval
    )
    if not actor.allows("approvals.view_approval"):
        return approvals.none()
    return approvals.filter(reached | Q(maker_id=actor.user_id))


def with_signatures(approvals: ApprovalQuerySet) -> ApprovalQuerySet:
    """The same approvals with their signatures read in one more statement."""
    signatures = Signature.objects.order_by("signed_at", "pk")
    return approvals.prefetch_related(Prefetch("signatures", queryset=signatures))


def pending_approval_of(*, subject_type: str, subject_id: UUID, action: str) -> Approval | None:
    """The approval that is waiting for signatures, if there is one."""
    return (
        Approval.objects.pending()
        .about(subject_type=subject_type.lower(), subject_ids=[subject_id], action=action)
        .first()
    )


def pending_approvals_of(
    *, subject_type: str, subject_ids: list[UUID], action: str
) -> dict[UUID, Approval]:
    """The approvals that are waiting for signatures, by their subject's id, in one statement."""
    rows = Approval.objects.pending().about(
        subject_type=subject_type.lower(), subject_ids=subject_ids, action=action
    )
    return {row.subject_id: row for row in rows}
