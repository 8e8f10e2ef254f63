"""Credit lines and their entries as whoever may read the books sees them."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from shared_apps.kernel.actor import Actor

from .errors import UnknownCreditLine
from .history.credit import credit_lines_at
from .history.instants import known
from .models import CreditLine, CreditLineEntry, CreditLineEntryQuerySet, CreditLineQuerySet


def credit_lines_visible_to(actor: Actor) -> CreditLineQuerySet:
    """What subjects may owe and owe, by currency."""
    return actor.visible(CreditLine.objects.all(), "ledger.view_creditline")


def with_exposure_at(
    lines: Sequence[CreditLine], *, as_of: date | None, known_at: datetime | None
) -> Sequence[CreditLine]:
    """The lines, each telling what was allowed, used and held then instead of now.

    :raises InstantInFuture: `known_at` has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    then = credit_lines_at(line_ids=[line.id for line in lines], as_of=as_of, known_at=known_at)
    for line in lines:
        line.limit_minor = then[line.id].limit_minor
        line.used_minor, line.held_minor = then[line.id].used_minor, then[line.id].held_minor
    return lines


def credit_line_entries_visible_to(
    actor: Actor, *, line_id: UUID, as_of: date | None, known_at: datetime | None
) -> CreditLineEntryQuerySet:
    """How a credit line came to be as it is, or as it stood at another time.

    :raises UnknownCreditLine: there is no such line, or it is not visible.
    :raises InstantInFuture: `known_at` has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    if not credit_lines_visible_to(actor).filter(pk=line_id).exists():
        raise UnknownCreditLine
    entries: CreditLineEntryQuerySet = CreditLineEntry.objects.filter(line_id=line_id)
    if as_of is not None:
        entries = entries.filter(effective_on__lte=as_of)
    return entries if known_at is None else entries.known_at(known(at=known_at).at)
