"""Stopping the books when they are found wrong, and starting them again."""

from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.operations import step
from tenant_apps.invariants.selectors import red_invariants
from tenant_apps.ledger import database
from tenant_apps.ledger.errors import BooksDoNotHold, BooksNotStopped
from tenant_apps.ledger.events import PostingsStarted, PostingsStopped
from tenant_apps.ledger.invariants import CONCERNS
from tenants.context import organization_id
from tenants.locks import hold_alone

_MOST_CHARACTERS = 500
_LOCK = "ledger.stop"


@step
def stop_postings(*, alarm_id: UUID, invariant: str, actor: Actor) -> None:
    """Let nothing more be posted, because an invariant of the books is broken.

    It holds for every posting whose statement begins after this transaction has ended. Reads, and
    writes that post nothing, go on. Where the books are stopped already, nothing changes.
    """
    # With whoever starts them: one of the two sees what the other has done.
    hold_alone(_LOCK)
    if database.stop_postings(alarm_id=alarm_id, invariant=invariant, stopped_at=clock.now()):
        audit.record(
            PostingsStopped(subject_id=organization_id(), alarm_id=alarm_id, invariant=invariant),
            actor=actor,
        )


@transaction.atomic
def start_postings(*, actor: Actor, reason: str) -> None:
    """Let the books be written again, once everything that concerns them was found right.

    :raises BooksNotStopped: nobody has stopped them.
    :raises BooksDoNotHold: an invariant of the books is still broken.
    :raises BadInput: no reason is given.
    """
    actor.require("ledger.start_postings")
    told = reason.strip()
    if not told:
        raise BadInput.field("reason", detail="Say why: it is kept in the log.")
    hold_alone(_LOCK)
    red = red_invariants(concerns=CONCERNS)
    if red:
        raise BooksDoNotHold(
            f"Still broken: {', '.join(red)}. Repair what was found; the check runs every minute.",
            extra={"invariants": red},
        )
    if not database.start_postings():
        raise BooksNotStopped
    audit.record(
        PostingsStarted(subject_id=organization_id(), reason=told[:_MOST_CHARACTERS]), actor=actor
    )
