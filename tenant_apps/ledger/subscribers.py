"""What the books do about news of lower floors, in the same transaction."""

from collections.abc import Sequence

from shared_apps.audit.subscriptions import subscribe
from shared_apps.kernel.actor import Actor
from tenant_apps.invariants.events import InvariantBroken
from tenant_apps.ledger.invariants import CONCERNS
from tenant_apps.ledger.services import stop_postings


def stop_when_broken(events: Sequence[InvariantBroken], *, actor: Actor) -> None:
    """Stop the books with the first alarm that concerns them."""
    for event in events:
        if event.concerns == CONCERNS:
            stop_postings(alarm_id=event.subject_id, invariant=event.invariant, actor=actor)


subscribe(InvariantBroken, stop_when_broken)
