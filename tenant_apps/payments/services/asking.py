"""Payments and the floor of approvals: asking for a signature, giving it, refusing it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from tenant_apps.approvals import services as approvals
from tenant_apps.approvals.models import Approval
from tenant_apps.approvals.selectors import pending_approvals_of
from tenant_apps.payments import errors
from tenant_apps.payments.models import Payment

SUBJECT = "payments.payment"
VERIFY = "verify"


@step
def ask_for_verification(*, payments: Sequence[Payment], actor: Actor) -> None:
    """Ask for a verifier's signature on each. A request that waits for older content is voided.

    The maker is whoever last wrote the payment.
    """
    makers = {row.id: row.updated_by_id for row in payments if row.updated_by_id is not None}
    approvals.submit_all(subjects=payments, action=VERIFY, actor=actor, makers=makers)


@step
def sign_requests(*, remarks: Mapping[UUID, str], actor: Actor) -> None:
    """Sign what is asked for these payments, with the remark for each."""
    waiting = _waiting(list(remarks))
    by_remark: dict[str, list[UUID]] = defaultdict(list)
    for payment_id, text in remarks.items():
        by_remark[text].append(waiting[payment_id].id)
    for text, approval_ids in by_remark.items():
        approvals.sign_all(approval_ids=approval_ids, actor=actor, comment=text)


@step
def reject_request(*, payment_id: UUID, remarks: str, actor: Actor) -> None:
    """Refuse what is asked for a payment."""
    approvals.reject(approval_id=_waiting([payment_id])[payment_id].id, actor=actor, remark=remarks)


@step
def recall_request(*, payment_id: UUID, actor: Actor) -> None:
    """Take back what was asked for a payment; only its maker can."""
    approvals.recall(approval_id=_waiting([payment_id])[payment_id].id, actor=actor)


def _waiting(payment_ids: list[UUID]) -> dict[UUID, Approval]:
    found = pending_approvals_of(subject_type=SUBJECT, subject_ids=payment_ids, action=VERIFY)
    if len(found) != len(payment_ids):
        # Between the look and now, somebody else has decided.
        raise errors.PaymentAlreadyDecided
    return found
