"""The steps by which domain apps write the books: post, and post each for itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import request_hash, uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from shared_apps.outbox.waking import wake_after_commit
from tenant_apps.ledger import database
from tenant_apps.ledger.entries import Journal, Leg, Outcome, PostedLeg, Posting, locked_by
from tenant_apps.ledger.errors import (
    AccountOnBothSides,
    AmountsDoNotFitRule,
    BooksStopped,
    NegativeAmount,
    PostingMismatch,
    UnknownPostingRule,
)
from tenant_apps.ledger.folding import QUEUE
from tenant_apps.ledger.models import (
    STRIPES_AT_MOST,
    Account,
    JournalMetadata,
    PostingRuleLine,
    Side,
    Transfer,
    TransferKind,
)
from tenant_apps.ledger.needed import NeededAccounts
from tenants.context import organization_id

from .accounts import open_needed
from .stripes import with_stripes

_POSTINGS_PER_PORTION = 1000
# A credit of so many minor units is counted at once: however many of the others wait, they never
# leave 64 bits together. The posting functions say the same.
DEFERRED_BELOW = 10**12
# So many credits at once are counted right after the commit; fewer wait for the scheduled turn.
_MANY_WAIT = 200


@step
def post(*, postings: Sequence[Posting], actor: Actor) -> list[Journal]:
    """Write business events into the books by their posting rules; one journal for each.

    Sub-accounts are opened as they are needed. All or nothing: a refusal spends the caller's
    transaction. What stands in the books already with the same content is answered as it was
    posted, marked `replayed`, so that a caller may repeat a batch. Balances are in minor units.

    :raises UnknownPostingRule: the books have no rule of that name.
    :raises AmountsDoNotFitRule: amounts or sub-ledgers are not those that the rule names.
    :raises NegativeAmount: an amount is below zero.
    :raises AccountOnBothSides: money would go from an account to itself.
    :raises PostingMismatch: the source was posted before under this rule, with other content.
    :raises AccountUnusable: an account is closed.
    :raises PeriodIsClosed: a posting takes effect in a closed period.
    :raises BelowFloor: an account would fall below its floor.
    """
    require_transaction()
    if not postings:
        return []
    needed = NeededAccounts(pick=postings[0].source_id.int % STRIPES_AT_MOST)
    drafts = drafts_of(postings=postings, needed=needed)
    _check_emptied(drafts)
    open_needed(needed=needed, actor=actor)
    return _write(drafts, actor=actor)


@step
def post_each(*, postings: Sequence[Posting], actor: Actor) -> list[Journal | DomainError]:
    """Write what the books take, and answer for each posting its journal or why it was refused.

    The outcome is that of posting one after the other in the order given: a refused posting
    changes nothing, and the next one finds the books without it. A batch that is refused is cut
    in two, so that few bad postings among a thousand cost few calls. The refusals are those of
    `post`.

    :raises BooksStopped: nothing at all is posted for now.
    """
    require_transaction()
    if len(postings) > _POSTINGS_PER_PORTION:
        _lock_all(postings)
    answers: list[Journal | DomainError] = []
    for portion in _portions(postings):
        answers.extend(_post_portion(portion, actor=actor))
    return answers


def _portions(postings: Sequence[Posting]) -> Iterator[Sequence[Posting]]:
    for start in range(0, len(postings), _POSTINGS_PER_PORTION):
        yield postings[start : start + _POSTINGS_PER_PORTION]


def _post_portion(postings: Sequence[Posting], *, actor: Actor) -> list[Journal | DomainError]:
    try:
        return _post_whole(postings, actor=actor)
    except BooksStopped:
        # No posting's fault: none of them would be taken.
        raise
    except DomainError as refusal:
        if len(postings) == 1:
            return [refusal]
    # The refusal has freed the balances: the parts would lock them in the parts' order.
    _lock_all(postings)
    return _halved(postings, actor=actor)


def _halved(postings: Sequence[Posting], *, actor: Actor) -> list[Journal | DomainError]:
    answers: list[Journal | DomainError] = []
    middle = len(postings) // 2
    for half in (postings[:middle], postings[middle:]):
        try:
            answers.extend(_post_whole(half, actor=actor))
        except DomainError as refusal:
            answers.extend([refusal] if len(half) == 1 else _halved(half, actor=actor))
    return answers


def _post_whole(postings: Sequence[Posting], *, actor: Actor) -> list[Journal | DomainError]:
    with transaction.atomic():
        return [*post(postings=postings, actor=actor)]


def _lock_all(postings: Sequence[Posting]) -> None:
    """Lock the balances that the postings touch, those that are open already, in lock order."""
    rules = _lines_by_rule({posting.rule for posting in postings})
    needed = NeededAccounts()
    legs: list[Leg] = []
    for posting in postings:
        # Those that make no draft are refused when their turn comes.
        with suppress(DomainError):
            legs += _draft(posting, rules.get(posting.rule, []), needed).legs
    database.lock_balances(account_ids=locked_by(legs))


class Draft:
    """A journal that is about to be written."""

    def __init__(
        self, *, journal_id: UUID, kind: str, source: tuple[str, UUID], effective_on: date,
        rule: str = "", legs: Iterable[Leg] = (), digest: bytes = b"",
        metadata: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.journal_id = journal_id
        self.kind = kind
        self.source_type, self.source_id = source
        self.rule = rule
        self.effective_on = effective_on
        self.legs = list(legs)
        self.digest = digest
        self.metadata = dict(metadata or {})

    def posted(self, outcomes: Mapping[UUID, Outcome]) -> Journal:
        return Journal(
            id=self.journal_id,
            kind=self.kind,
            rule=self.rule,
            source_type=self.source_type,
            source_id=self.source_id,
            effective_on=self.effective_on,
            legs=tuple(_posted_leg(leg, outcomes[leg.id]) for leg in self.legs),
            replayed=any(outcomes[leg.id].replayed for leg in self.legs),
        )


@step
def drafts_of(*, postings: Sequence[Posting], needed: NeededAccounts) -> list[Draft]:
    """The journals that the postings' rules make of them; notes the accounts they touch."""
    rules = _lines_by_rule({posting.rule for posting in postings})
    for code in sorted({posting.rule for posting in postings} - set(rules)):
        raise UnknownPostingRule(f"There is no posting rule {code}.", extra={"rule": code})
    return [_draft(posting, rules[posting.rule], needed) for posting in postings]


@step
def write_drafts(*, drafts: Sequence[Draft], actor: Actor) -> list[Journal]:
    """Write journals whose legs are ready. For the other modules of this package."""
    require_transaction()
    return _write(drafts, actor=actor)


@step
def require_transaction() -> None:
    """Refuse to write the books outside the caller's transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("The books are written within the caller's transaction.")


def _lines_by_rule(codes: set[str]) -> dict[str, list[PostingRuleLine]]:
    lines = (
        PostingRuleLine.objects.filter(rule__code__in=codes)
        .select_related("rule", "debit_account", "credit_account")
        .order_by("rule__code", "position")
    )
    found: dict[str, list[PostingRuleLine]] = {}
    for line in lines:
        found.setdefault(line.rule.code, []).append(line)
    return found


def _draft(posting: Posting, lines: list[PostingRuleLine], needed: NeededAccounts) -> Draft:
    _check_fits(posting, lines)
    organization = organization_id()
    source = (posting.source_type, posting.source_id)
    draft = Draft(
        journal_id=uuid8_near(posting.source_id, organization, "journal", *source, posting.rule),
        kind=TransferKind.POSTING,
        source=source,
        rule=posting.rule,
        effective_on=posting.effective_on,
        digest=_content_hash(posting),
        metadata=posting.metadata,
    )
    for line in lines:
        amount = posting.amounts[line.amount_name]
        if amount.is_zero:
            continue
        _check_two_accounts(posting, line)
        debit, credit = (
            needed.add(
                chart=chart,
                currency=amount.currency,
                subledger_id=_subledger_id(posting, chart, of_this_side),
            )
            for chart, of_this_side in (
                (line.debit_account, posting.debit_subledgers),
                (line.credit_account, posting.credit_subledgers),
            )
        )
        number = len(draft.legs) + 1
        is_deferred = _is_deferred(line, amount)
        draft.legs.append(
            Leg(
                # By its number and not by the line's: whatever content the source is posted with
                # again, its first leg meets the first leg that stands in the books.
                id=_leg_id(source=source, rule=posting.rule, number=number),
                request_hash=draft.digest,
                journal_id=draft.journal_id,
                number=number,
                debit_account_id=debit,
                credit_account_id=credit,
                amount=amount,
                effective_on=posting.effective_on,
                kind=TransferKind.POSTING,
                source_type=posting.source_type,
                source_id=posting.source_id,
                rule=posting.rule,
                memo=posting.memo,
                debit_rank=line.debit_account.lock_rank,
                credit_rank=line.credit_account.lock_rank,
                debit_stripe=needed.stripe_of(debit, side=Side.DEBIT),
                credit_stripe=0 if is_deferred else needed.stripe_of(credit, side=Side.CREDIT),
                credit_deferred=is_deferred,
            )
        )
    return draft


def _is_deferred(line: PostingRuleLine, amount: Money) -> bool:
    return line.credit_account.deferred and amount.minor < DEFERRED_BELOW


def _leg_id(*, source: tuple[str, UUID], rule: str, number: int) -> UUID:
    return uuid8_near(source[1], organization_id(), *source, rule, number)


def _check_emptied(drafts: Iterable[Draft]) -> None:
    """Refuse a posting without amounts whose source stands in the books with some."""
    first_legs = [
        _leg_id(source=(draft.source_type, draft.source_id), rule=draft.rule, number=1)
        for draft in drafts
        if not draft.legs
    ]
    if first_legs and Transfer.objects.filter(pk__in=first_legs).exists():
        raise PostingMismatch


def _check_fits(posting: Posting, lines: list[PostingRuleLine]) -> None:
    names = {line.amount_name for line in lines}
    if set(posting.amounts) != names:
        raise AmountsDoNotFitRule(
            f"The rule {posting.rule} takes the amounts {', '.join(sorted(names))}.",
            extra={"rule": posting.rule, "amounts": sorted(names)},
        )
    for name, amount in posting.amounts.items():
        if amount.is_negative:
            raise NegativeAmount(extra={"rule": posting.rule, "amount": name})


def _check_two_accounts(posting: Posting, line: PostingRuleLine) -> None:
    debit, credit = line.debit_account, line.credit_account
    if debit == credit and _subledger_id(posting, debit, posting.debit_subledgers) == _subledger_id(
        posting, credit, posting.credit_subledgers
    ):
        raise AccountOnBothSides


def _subledger_id(
    posting: Posting, chart: Account, of_this_side: Mapping[str, UUID]
) -> UUID | None:
    if not chart.subledger:
        return None
    try:
        return {**posting.subledgers, **of_this_side}[chart.subledger]
    except KeyError:
        raise AmountsDoNotFitRule(
            f"The rule {posting.rule} needs to know which {chart.subledger} is meant.",
            extra={"rule": posting.rule, "subledger": chart.subledger},
        ) from None


def _content_hash(posting: Posting) -> bytes:
    """Every leg carries the hash of its whole posting: a leg more or less is another content."""
    content: dict[str, Any] = {
        "rule": posting.rule,
        "amounts": {name: [m.minor, m.currency] for name, m in posting.amounts.items()},
        "subledgers": dict(posting.subledgers),
        "effective_on": posting.effective_on,
    }
    for side, subledgers in (
        ("debit_subledgers", posting.debit_subledgers),
        ("credit_subledgers", posting.credit_subledgers),
    ):
        if subledgers:
            content[side] = dict(subledgers)
    if posting.metadata:
        content["metadata"] = dict(posting.metadata)
    return bytes.fromhex(request_hash(content))


def _write(drafts: Sequence[Draft], *, actor: Actor) -> list[Journal]:
    legs: dict[UUID, Leg] = {}
    for draft in drafts:
        for leg in draft.legs:
            twin = legs.setdefault(leg.id, leg)
            if twin.request_hash != leg.request_hash:
                raise PostingMismatch
    if sum(leg.credit_deferred for leg in legs.values()) >= _MANY_WAIT:
        wake_after_commit(QUEUE)
    moment = clock.now()
    outcomes = database.post_legs(
        legs=with_stripes(legs=list(legs.values()), posted_at=moment, actor=actor),
        posted_at=moment,
        actor_id=actor.user_id,
    )
    journals = [draft.posted(outcomes) for draft in drafts]
    _keep_metadata(zip(drafts, journals, strict=True), actor=actor)
    return journals


def _keep_metadata(written: Iterable[tuple[Draft, Journal]], *, actor: Actor) -> None:
    rows = {
        journal.id: JournalMetadata(
            id=journal.id,
            first_leg_id=journal.legs[0].transfer_id,
            metadata=draft.metadata,
            recorded_by_id=actor.user_id,
        )
        for draft, journal in written
        if draft.metadata and journal.legs and not journal.replayed
    }
    if rows:
        JournalMetadata.objects.bulk_create(rows.values())


def _posted_leg(leg: Leg, outcome: Outcome) -> PostedLeg:
    return PostedLeg(
        transfer_id=leg.id,
        number=leg.number,
        debit_account_id=leg.debit_account_id,
        credit_account_id=leg.credit_account_id,
        amount=leg.amount,
        debit_balance=outcome.debit_balance,
        credit_balance=outcome.credit_balance,
    )
