"""What other apps read from the books."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import NotFound
from shared_apps.kernel.money import Money

from .entries import Funds
from .errors import UnknownAccount, UnknownHold
from .history.balances import balances_at
from .history.books import line_sums, line_sums_now
from .history.statements import Statement
from .models import (
    Account,
    Balance,
    CreditLine,
    FiscalPeriod,
    Hold,
    HoldEntry,
    HoldQuerySet,
    JournalMetadata,
    PeriodState,
    PostingRule,
    StatementLine,
    Stop,
    Transfer,
    TransferQuerySet,
)
from .needed import account_id_of

# What a balance counts and what waits to be counted.
_HOLDS = F("posted") + F("waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalanceRow:
    """A line of the chart in one currency: what its accounts hold, on one side or the other."""

    code: str
    name: str
    kind: str
    currency: str
    debit: Money
    credit: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalanceTotal:
    """The sums of one currency. The difference is zero, or the books are wrong."""

    currency: str
    debit: Money
    credit: Money
    difference: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalance:
    """All accounts of the books, by line of the chart and currency."""

    as_of: date | None
    known_at: datetime | None
    rows: tuple[TrialBalanceRow, ...]
    totals: tuple[TrialBalanceTotal, ...]


def accounts_visible_to(actor: Actor) -> QuerySet[Account]:
    """The chart and the accounts under it, with their balances."""
    accounts = Account.objects.prefetch_related("balances")
    return actor.visible(accounts, "ledger.view_account")


def transfers_visible_to(actor: Actor) -> TransferQuerySet:
    """All transfers."""
    return actor.visible(Transfer.objects.all(), "ledger.view_transfer")


def journals_visible_to(actor: Actor) -> TransferQuerySet:
    """Each journal by its first leg, with whether it was reversed and what it reverses itself."""
    own = OuterRef("pk")
    reversed_journal = Transfer.objects.filter(id=OuterRef("reverses_id")).values("journal_id")[:1]
    return (
        transfers_visible_to(actor)
        .filter(leg=1)
        .annotate(
            is_reversed=Exists(Transfer.objects.filter(reverses_id=own)),
            reverses_journal_id=Subquery(reversed_journal),
        )
    )


def with_legs(heads: Sequence[Transfer]) -> list[Transfer]:
    """The first legs of journals, each with its journal's `legs` and `metadata`: two statements."""
    legs: dict[UUID, list[Transfer]] = {}
    found = Transfer.objects.of_journals(head.journal_id for head in heads)
    for transfer in found.order_by("journal_id", "leg"):
        legs.setdefault(transfer.journal_id, []).append(transfer)
    said = JournalMetadata.objects.in_bulk([head.journal_id for head in heads])
    for head in heads:
        head.legs = legs[head.journal_id]
        head.metadata = said[head.journal_id].metadata if head.journal_id in said else {}
    return list(heads)


def journal_visible_to(actor: Actor, *, journal_id: UUID) -> Transfer:
    """A journal by its first leg, with all its legs as `legs`.

    :raises NotFound: there is none, or it is not visible.
    """
    head = journals_visible_to(actor).of_journal(journal_id).first()
    if head is None:
        raise NotFound("There is no such journal.")
    return with_legs([head])[0]


def posting_rules_visible_to(actor: Actor) -> QuerySet[PostingRule]:
    """The posting rules with their lines."""
    return actor.visible(PostingRule.objects.all(), "ledger.view_postingrule").prefetch_related(
        "lines__debit_account", "lines__credit_account"
    )


def periods_visible_to(actor: Actor) -> QuerySet[FiscalPeriod]:
    """The fiscal periods."""
    return actor.visible(FiscalPeriod.objects.all(), "ledger.view_fiscalperiod")


def statement_visible_to(actor: Actor, *, account_id: UUID) -> QuerySet[StatementLine]:
    """The statement of an account that carries money.

    :raises UnknownAccount: there is none, or it is not visible.
    """
    return account_statement(account_id=_carrying_money(actor, account_id).id)


def statement_at_visible_to(
    actor: Actor,
    *,
    account_id: UUID,
    first_day: date | None = None,
    last_day: date | None = None,
    known_at: datetime | None = None,
) -> Statement:
    """The account's statement by effective day, as known at an instant; its pages are read later.

    :raises UnknownAccount: there is no such account that carries money, or it is not visible.
    """
    account = _carrying_money(actor, account_id)
    return Statement(
        account_id=account_id,
        currency=str(account.currency),
        first_day=first_day,
        last_day=last_day,
        known_at=known_at,
    )


def _carrying_money(actor: Actor, account_id: UUID) -> Account:
    account: Account | None = (
        actor.visible(Account.objects.all(), "ledger.view_account").filter(id=account_id).first()
    )
    if account is None:
        raise UnknownAccount
    if account.currency is None:
        raise UnknownAccount(
            f"{account.code} is a line of the chart and carries no money itself: ask for the"
            f" accounts under it (?parent={account.id}) and read theirs."
        )
    return account


def with_balances_at(
    accounts: Sequence[Account], *, as_of: date | None, known_at: datetime | None
) -> Sequence[Account]:
    """The accounts, each telling what it held then instead of now.

    :raises InstantInFuture: `known_at` has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    carrying = [account for account in accounts if account.currency is not None]
    held = balances_at(
        account_ids=[account.id for account in carrying], as_of=as_of, known_at=known_at
    )
    for account in carrying:
        account.posted_then = Money(held.get(account.id, 0), str(account.currency))
    return accounts


def is_striped(*, account_id: UUID) -> bool:
    """Whether the account has several balances, so that no line of it leaves one."""
    return Account.objects.filter(id=account_id, stripes__gt=1).exists()


def account_statement(*, account_id: UUID) -> QuerySet[StatementLine]:
    """The lines of an account's statement, newest first, each with the balance that it left.

    Credits that wait to be counted are no lines yet: see `services.fold_for_reading`.
    """
    stripes = list(Balance.objects.filter(account_id=account_id).values_list("stripe", flat=True))
    lines = StatementLine.objects.filter(account_id=account_id, version__isnull=False)
    if len(stripes) == 1:
        # Versions follow the stripe in the index: with it, a page reads no more than its lines.
        lines = lines.filter(stripe=stripes[0])
    return lines.select_related("other_account").order_by("-version", "transfer_id")


def balance_of(*, account_code: str, currency: str, subledger_id: UUID | None = None) -> Money:
    """What an account holds now, positive on its normal side; zero where nothing was posted.

    Without a `subledger_id`, the sum over all accounts under the line of the chart.

    :raises UnknownAccount: the chart has no such line.
    """
    if not Account.objects.chart().filter(code=account_code).exists():
        raise UnknownAccount(f"The chart has no account {account_code}.")
    found = Balance.objects.filter(account__code=account_code, account__currency=currency)
    if subledger_id is not None:
        found = found.filter(account__subledger_id=subledger_id)
    total = found.aggregate(total=Sum(_HOLDS))["total"]
    return Money(int(total or 0), currency)


def funds_of(*, account_code: str, currency: str, subledger_id: UUID | None = None) -> Funds:
    """What an account holds, what of it is held for somebody, and what may be used; or zeros.

    :raises UnknownAccount: the chart has no such line.
    """
    line = Account.objects.chart().filter(code=account_code).first()
    if line is None:
        raise UnknownAccount(f"The chart has no account {account_code}.")
    account_id = account_id_of(chart_id=line.id, currency=currency, subledger_id=subledger_id)
    sums = Balance.objects.filter(account_id=account_id).aggregate(
        posted=Coalesce(Sum(_HOLDS), 0), held=Coalesce(Sum("held"), 0)
    )
    above_floor = sums["posted"] - sums["held"] - (line.floor or 0)
    return Funds(
        posted=Money(int(sums["posted"]), currency),
        held=Money(int(sums["held"]), currency),
        available=None if line.floor is None else Money(int(above_floor), currency),
    )


def holds_visible_to(actor: Actor) -> HoldQuerySet:
    """Funds that are or were held."""
    return actor.visible(Hold.objects.select_related("account"), "ledger.view_hold")


def hold_entries_visible_to(actor: Actor, *, hold_id: UUID) -> QuerySet[HoldEntry]:
    """The steps of a hold's life.

    :raises UnknownHold: there is no such hold, or it is not visible.
    """
    if not holds_visible_to(actor).filter(pk=hold_id).exists():
        raise UnknownHold
    return HoldEntry.objects.filter(hold_id=hold_id).order_by("number")


def credit_lines_of(
    *, subject_type: str, subject_ids: Iterable[UUID]
) -> dict[tuple[UUID, str], CreditLine]:
    """The credit lines of subjects, by subject and currency."""
    lines = CreditLine.objects.of_subjects(subject_type, list(subject_ids))
    return {(line.subject_id, line.currency): line for line in lines}


def balances_of(
    *, account_code: str, currency: str, subledger_ids: Iterable[UUID]
) -> dict[UUID, Money]:
    """What each of the sub-accounts holds now; zero where nothing was posted."""
    ids = list(subledger_ids)
    found = (
        Balance.objects.filter(
            account__code=account_code,
            account__currency=currency,
            account__subledger_id__in=ids,
        )
        .values_list("account__subledger_id")
        .annotate(total=Sum(_HOLDS))
    )
    posted = {subledger_id: int(total) for subledger_id, total in found}
    return {subledger_id: Money(posted.get(subledger_id, 0), currency) for subledger_id in ids}


def is_open_on(*, day: date) -> bool:
    """Whether a posting may take effect on a day, as things stand now."""
    return not FiscalPeriod.objects.containing(day).filter(state=PeriodState.CLOSED).exists()


def first_open_days(*, days: Iterable[date]) -> dict[date, date]:
    """For each day, itself or, where its period is closed, the first day after it that is open."""
    closed = list(
        FiscalPeriod.objects.filter(state=PeriodState.CLOSED)
        .order_by("starts_on")
        .values_list("starts_on", "ends_on")
    )
    found = {}
    for day in set(days):
        open_day = day
        # Ascending, so one pass walks over any number of closed periods in a row.
        for starts_on, ends_on in closed:
            if starts_on <= open_day <= ends_on:
                open_day = ends_on + timedelta(days=1)
        found[day] = open_day
    return found


def trial_balance(*, as_of: date | None = None, known_at: datetime | None = None) -> TrialBalance:
    """What every line of the chart holds, by currency, now or as of the end of a day.

    As of a day, transfers with a later effect are left out, whenever they were posted. `known_at`
    leaves out what was not known at an instant.

    :raises InstantInFuture: `known_at` has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    is_present = as_of is None and known_at is None
    sums = line_sums_now() if is_present else line_sums(as_of=as_of, known_at=known_at)
    charts = {account.code: account for account in Account.objects.chart()}
    rows = tuple(
        _trial_row(charts[code], currency, net) for code, currency, net in sorted(sums) if net
    )
    return TrialBalance(as_of=as_of, known_at=known_at, rows=rows, totals=_totals(rows))


def _trial_row(chart: Account, currency: str, net: int) -> TrialBalanceRow:
    return TrialBalanceRow(
        code=chart.code,
        name=chart.name,
        kind=chart.kind,
        currency=currency,
        debit=Money(max(net, 0), currency),
        credit=Money(max(-net, 0), currency),
    )


def _totals(rows: Sequence[TrialBalanceRow]) -> tuple[TrialBalanceTotal, ...]:
    totals = []
    for currency in sorted({row.currency for row in rows}):
        own = [row for row in rows if row.currency == currency]
        debit = Money.total((row.debit for row in own), currency=currency)
        credit = Money.total((row.credit for row in own), currency=currency)
        totals.append(
            TrialBalanceTotal(
                currency=currency, debit=debit, credit=credit, difference=debit - credit
            )
        )
    return tuple(totals)


def books_stop() -> Stop | None:
    """What has stopped the books; None while they are running."""
    stop: Stop | None = Stop.objects.first()
    return stop
