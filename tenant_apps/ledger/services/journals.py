"""Entries made by hand: manual journals, opening balances, and their reversal."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput, FieldError
from shared_apps.kernel.ids import request_hash, uuid7, uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.ledger import subledgers
from tenant_apps.ledger.chart import OPENING_EQUITY
from tenant_apps.ledger.entries import Journal, JournalLine, Leg, OpeningLine, Reversal
from tenant_apps.ledger.errors import (
    AccountOnBothSides,
    JournalHasSource,
    NothingToReverse,
    UnevenJournal,
)
from tenant_apps.ledger.events import JournalReversed, ManualJournalPosted, OpeningBalancesPosted
from tenant_apps.ledger.models import Account, Side, Transfer, TransferKind
from tenant_apps.ledger.needed import NeededAccounts, account_id_of

from .accounts import open_needed
from .postings import Draft, write_drafts
from .reversals import reverse

SOURCE_TYPE = "ledger.journal"

LineT = TypeVar("LineT", JournalLine, OpeningLine)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An amount for the debit or credit of an account that is known to exist or may be opened."""

    account_id: UUID
    side: str
    amount: Money


@transaction.atomic
def post_manual_journal(
    *,
    actor: Actor,
    lines: Sequence[JournalLine],
    effective_on: date,
    memo: str,
    metadata: Mapping[str, str] | None = None,
) -> Journal:
    """Post a journal made by hand: in each currency, its debits equal its credits.

    `metadata` is kept with it, keys and values of the poster's own.

    It is kept as one transfer per debit-credit pair: lines of either side are matched in the
    order given, so n debits and m credits give n + m - 1 transfers at most.

    :raises UnevenJournal: debits and credits differ in a currency.
    :raises AccountOnBothSides: an account is both debited and credited.
    :raises BadInput: a line names no account, or has no positive amount.
    :raises PeriodIsClosed: it would take effect in a closed period.
    :raises BelowFloor: an account would fall below its floor.
    """
    actor.require("ledger.post_manual_journal")
    needed = NeededAccounts()
    entries = _entries(lines, needed)
    _check_sides(lines, entries)
    legs = list(_pairs(entries))
    open_needed(needed=needed, actor=actor)
    draft = draft_by_hand(
        pairs=legs, needed=needed, kind=TransferKind.MANUAL, effective_on=effective_on, memo=memo
    )
    draft.metadata = dict(metadata or {})
    (journal,) = write_drafts(drafts=[draft], actor=actor)
    event = ManualJournalPosted(
        subject_id=journal.id, effective_on=effective_on, legs=len(journal.legs)
    )
    audit.record(event, actor=actor)
    return journal


@transaction.atomic
def post_opening_balances(
    *, actor: Actor, lines: Sequence[OpeningLine], effective_on: date
) -> Journal:
    """Post what accounts hold on the first day, against the opening balance equity.

    An amount is positive on the account's normal side, in its own currency.

    :raises BadInput: a line names no account, or its amount is zero.
    :raises AccountOnBothSides: a line is for the opening balance equity itself.
    :raises PeriodIsClosed: it would take effect in a closed period.
    :raises BelowFloor: an account would fall below its floor.
    """
    actor.require("ledger.post_opening_balances")
    needed = NeededAccounts()
    charts = _charts({line.account_code for line in lines} | {OPENING_EQUITY})
    _check_lines(lines, charts, wrong=lambda line: line.amount.is_zero, wish="is not zero")
    legs = []
    for line in lines:
        chart, currency = charts[line.account_code], line.amount.currency
        if line.account_code == OPENING_EQUITY:
            raise AccountOnBothSides(
                f"What is opened stands against {OPENING_EQUITY} already: leave its line out.",
                extra={"account_code": OPENING_EQUITY},
            )
        own = needed.add(chart=chart, currency=currency, subledger_id=line.subledger_id)
        equity = needed.add(chart=charts[OPENING_EQUITY], currency=currency, subledger_id=None)
        to_debit = (chart.normal_side == Side.DEBIT) == line.amount.is_positive
        legs.append((own, equity, line.amount) if to_debit else (equity, own, line.amount))
    open_needed(needed=needed, actor=actor)
    draft = draft_by_hand(
        pairs=legs, needed=needed, kind=TransferKind.OPENING, effective_on=effective_on, memo=""
    )
    (journal,) = write_drafts(drafts=[draft], actor=actor)
    event = OpeningBalancesPosted(
        subject_id=journal.id, effective_on=effective_on, legs=len(journal.legs)
    )
    audit.record(event, actor=actor)
    return journal


@transaction.atomic
def reverse_journal(
    *, actor: Actor, journal_id: UUID, effective_on: date, memo: str = ""
) -> Journal:
    """Undo a manual journal or opening balances by an opposite journal, once.

    :raises NothingToReverse: there is no such journal.
    :raises JournalHasSource: it belongs to a document and is undone there.
    :raises AlreadyReversed: it was reversed before.
    :raises ReversalOfReversal: it is itself a reversal.
    :raises ReversalTooEarly: it would take effect before what it reverses.
    :raises PeriodIsClosed: the reversal would take effect in a closed period.
    :raises BelowFloor: what was posted has been used since.
    """
    visible = actor.visible(Transfer.objects.of_journal(journal_id), "ledger.view_transfer")
    head = visible.first()
    if head is None:
        raise NothingToReverse
    actor.require("ledger.reverse_journal", head)
    if head.kind == TransferKind.POSTING:
        raise JournalHasSource(
            f"It was posted for {head.source_type} {head.source_id}. Undo that: its journal is"
            " reversed with it.",
            extra={"source_type": head.source_type, "source_id": str(head.source_id)},
        )
    request = Reversal(journal_id=journal_id, effective_on=effective_on, memo=memo)
    (journal,) = reverse(reversals=[request], actor=actor)
    event = JournalReversed(
        subject_id=journal_id, reversal_id=journal.id, effective_on=effective_on
    )
    audit.record(event, actor=actor)
    return journal


def _entries(lines: Sequence[JournalLine], needed: NeededAccounts) -> list[_Entry]:
    charts = _charts({line.account_code for line in lines})
    _check_lines(
        lines, charts, wrong=lambda line: not line.amount.is_positive, wish="is above zero"
    )
    return [
        _Entry(
            needed.add(
                chart=charts[line.account_code],
                currency=line.amount.currency,
                subledger_id=line.subledger_id,
            ),
            line.side,
            line.amount,
        )
        for line in lines
    ]


def _charts(codes: set[str]) -> dict[str, Account]:
    return {account.code: account for account in Account.objects.chart().filter(code__in=codes)}


def _check_lines(
    lines: Sequence[LineT],
    charts: dict[str, Account],
    *,
    wrong: Callable[[LineT], bool],
    wish: str,
) -> None:
    """Say at once all that is wrong with the lines of an entry made by hand."""
    problems: list[FieldError] = []
    strangers = _strangers(lines, charts)
    for number, line in enumerate(lines):
        chart = charts.get(line.account_code)
        if chart is None:
            problems.append(_problem(number, "account_code", "There is no such account."))
        elif bool(chart.subledger) != (line.subledger_id is not None):
            wish = (
                f"{chart.code} is kept by {chart.subledger}: say which one."
                if chart.subledger
                else f"{chart.code} has no sub-ledger: leave this out."
            )
            problems.append(_problem(number, "subledger_id", wish))
        elif number in strangers:
            problems.append(
                _problem(number, "subledger_id", f"There is no such {chart.subledger}.")
            )
        if wrong(line):
            problems.append(_problem(number, "amount", f"The amount of a line {wish}."))
    if problems or not lines:
        raise BadInput("" if lines else "An entry has lines.", errors=problems)


def _problem(number: int, name: str, detail: str) -> FieldError:
    return FieldError.at("lines", number, name, detail=detail)


def _strangers(lines: Sequence[JournalLine | OpeningLine], charts: dict[str, Account]) -> set[int]:
    """The numbers of lines whose sub-ledger id is nobody's and has no open account either."""
    unopened: dict[str, dict[int, UUID]] = {}
    candidates = {
        number: account_id_of(
            chart_id=charts[line.account_code].id,
            currency=line.amount.currency,
            subledger_id=line.subledger_id,
        )
        for number, line in enumerate(lines)
        if line.account_code in charts and line.subledger_id is not None
    }
    opened = set(Account.objects.filter(id__in=candidates.values()).values_list("id", flat=True))
    for number, account_id in candidates.items():
        subledger_id = lines[number].subledger_id
        if account_id not in opened and subledger_id is not None:
            kind = charts[lines[number].account_code].subledger
            unopened.setdefault(kind, {})[number] = subledger_id
    found: set[int] = set()
    for kind, ids in unopened.items():
        unknown = subledgers.unknown(kind=kind, ids=set(ids.values()))
        found.update(number for number, subledger_id in ids.items() if subledger_id in unknown)
    return found


def _check_sides(lines: Sequence[JournalLine], entries: Sequence[_Entry]) -> None:
    """:raises AccountOnBothSides: two lines debit and credit the same account."""
    sides: dict[UUID, str] = {}
    for line, entry in zip(lines, entries, strict=True):
        if sides.setdefault(entry.account_id, entry.side) != entry.side:
            raise AccountOnBothSides(
                f"{line.account_code} is debited and credited in {line.amount.currency}. Give what"
                " is left of the two as one line.",
                extra={"account_code": line.account_code, "currency": line.amount.currency},
            )


def _pairs(entries: Iterable[_Entry]) -> Iterator[tuple[UUID, UUID, Money]]:
    """Match debits with credits, currency by currency, in the order given."""
    by_currency: dict[str, tuple[deque[_Entry], deque[_Entry]]] = {}
    for entry in entries:
        debits, credits = by_currency.setdefault(entry.amount.currency, (deque(), deque()))
        (debits if entry.side == Side.DEBIT else credits).append(entry)
    for currency, (debits, credits) in by_currency.items():
        total_debit = Money.total((entry.amount for entry in debits), currency=currency)
        total_credit = Money.total((entry.amount for entry in credits), currency=currency)
        if total_debit != total_credit:
            raise UnevenJournal(
                f"Debits are {total_debit}, credits are {total_credit}.",
                extra={"debit": total_debit.to_json(), "credit": total_credit.to_json()},
            )
        yield from _matched(debits, credits)


def _matched(debits: deque[_Entry], credits: deque[_Entry]) -> Iterator[tuple[UUID, UUID, Money]]:
    while debits:
        debit, credit = debits.popleft(), credits.popleft()
        amount = min(debit.amount, credit.amount)
        yield debit.account_id, credit.account_id, amount
        for rest, side in ((debit, debits), (credit, credits)):
            left = rest.amount - amount
            if left:
                side.appendleft(_Entry(rest.account_id, rest.side, left))


@step
def draft_by_hand(
    *,
    pairs: Sequence[tuple[UUID, UUID, Money]],
    needed: NeededAccounts,
    kind: str,
    effective_on: date,
    memo: str,
    rule: str = "",
) -> Draft:
    """A journal of debit, credit and amount, whose source it is itself. For this package."""
    journal_id = uuid7()
    digest = bytes.fromhex(request_hash({"journal": journal_id}))
    legs = [
        Leg(
            id=uuid8_near(journal_id, "leg", number),
            request_hash=digest,
            journal_id=journal_id,
            number=number,
            debit_account_id=debit,
            credit_account_id=credit,
            amount=abs(amount),
            effective_on=effective_on,
            kind=kind,
            source_type=SOURCE_TYPE,
            source_id=journal_id,
            rule=rule,
            memo=memo,
            debit_rank=needed.rank_of(debit),
            credit_rank=needed.rank_of(credit),
            debit_stripe=needed.stripe_of(debit, side=Side.DEBIT),
            credit_stripe=needed.stripe_of(credit, side=Side.CREDIT),
        )
        for number, (debit, credit, amount) in enumerate(pairs, start=1)
    ]
    source = (SOURCE_TYPE, journal_id)
    return Draft(
        journal_id=journal_id,
        kind=kind,
        source=source,
        rule=rule,
        effective_on=effective_on,
        legs=legs,
    )
