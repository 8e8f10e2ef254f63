"""Accounts and credit lines are opened when needed; ids are derived, so that openers agree."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from random import randrange
from uuid import UUID

from shared_apps.kernel.ids import uuid8_from

from .models import STRIPES_AT_MOST, Account, Side

# Instead of a stripe: money leaves the account, and must first be gathered from all of them.
GATHERED = -1

_IDS_PER_QUERY = 5000


def account_id_of(*, chart_id: UUID, currency: str, subledger_id: UUID | None) -> UUID:
    """The id that the account under a line of the chart has, whether or not it is open yet."""
    return uuid8_from(chart_id, currency, str(subledger_id or ""))


def credit_line_id_of(*, subject_type: str, subject_id: UUID, currency: str) -> UUID:
    """The id that a subject's line in a currency has, whether or not it is open yet."""
    return uuid8_from("credit line", subject_type, subject_id, currency)


def stripe_of(account: Account, *, side: str, pick: int) -> int:
    """The stripe that a leg on this side goes to, or `GATHERED`.

    What raises the account, or leaves one without a floor, may go to any: `pick` chooses.
    """
    if account.stripes == 1:
        return 0
    if account.floor is not None and side != Side(account.normal_side):
        return GATHERED
    return pick % account.stripes


@dataclass(slots=True)
class NeededAccounts:
    """Collects the accounts that a posting touches, so that they are opened together."""

    _needed: dict[UUID, tuple[UUID, UUID, str, UUID | None]] = field(default_factory=dict)
    _open: set[UUID] = field(default_factory=set)
    _charts: dict[UUID, Account] = field(default_factory=dict)
    # The same for every account: a batch locks one row of each. Whoever may be asked again sets it
    # by what is asked, so that the same request in parallel waits at the same rows.
    pick: int = field(default_factory=partial(randrange, STRIPES_AT_MOST))

    def add(self, *, chart: Account, currency: str, subledger_id: UUID | None) -> UUID:
        """Note an account and answer its id."""
        account_id = account_id_of(chart_id=chart.id, currency=currency, subledger_id=subledger_id)
        self._needed[account_id] = (account_id, chart.id, currency, subledger_id)
        self._charts[account_id] = chart
        return account_id

    def rank_of(self, account_id: UUID) -> int:
        """The place of a noted account in the order of locks."""
        return self._charts[account_id].lock_rank

    def stripe_of(self, account_id: UUID, *, side: str) -> int:
        """The stripe of a noted account that a leg goes to, or `GATHERED`."""
        return stripe_of(self._charts[account_id], side=side, pick=self.pick)

    def is_gathered(self, account_id: UUID) -> bool:
        """Whether what leaves a noted account must first be gathered from its stripes."""
        chart = self._charts[account_id]
        return chart.stripes > 1 and chart.floor is not None

    def first_to_lock(self) -> UUID:
        """The one of the noted accounts that everybody locks before the others."""
        return min(self._needed, key=lambda account_id: (self.rank_of(account_id), account_id))

    def ids(self) -> list[UUID]:
        """The ids of all noted accounts."""
        return sorted(self._needed)

    def note_open(self, account_ids: Iterable[UUID]) -> None:
        """Say of accounts that they were read and are there, so that nobody looks for them again.

        An account never goes away.
        """
        self._open.update(account_ids)

    def missing(self) -> list[tuple[UUID, UUID, str, UUID | None]]:
        """Those that are not open yet, in the order of their ids."""
        unsure = self._needed.keys() - self._open
        known = _existing(unsure) if unsure else set()
        return sorted(self._needed[account_id] for account_id in unsure - known)


def _existing(ids: Collection[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    for portion in _portions(ids):
        found.update(Account.objects.filter(id__in=portion).values_list("id", flat=True))
    return found


def _portions(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    rest = iter(ids)
    while portion := list(islice(rest, _IDS_PER_QUERY)):
        yield portion
