"""Money of one currency given for money of another, through the position of each."""

from datetime import date
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput, FieldError
from shared_apps.kernel.money import Money
from tenant_apps.ledger.chart import BANK_CHARGES, CURRENCY_POSITION
from tenant_apps.ledger.entries import Journal
from tenant_apps.ledger.errors import SameCurrency, UnknownPostingRule
from tenant_apps.ledger.events import CurrencyExchanged
from tenant_apps.ledger.models import Account, AccountKind, TransferKind
from tenant_apps.ledger.needed import NeededAccounts

from .accounts import open_needed
from .journals import draft_by_hand
from .postings import write_drafts

RULE = "currency.exchanged"
_OWN_LINES = {CURRENCY_POSITION: AccountKind.ASSET, BANK_CHARGES: AccountKind.EXPENSE}


@transaction.atomic
def exchange_currency(
    *,
    actor: Actor,
    from_account: str,
    to_account: str,
    sold: Money,
    bought: Money,
    effective_on: date,
    fee: Money | None = None,
    memo: str = "",
) -> Journal:
    """Post an exchange: what was sold leaves one account, what was bought comes into another.

    Each currency stays even in itself: the position account of the sold currency is debited, that
    of the bought one credited, so that the positions tell what the exchanges have cost so far. The
    rate is what the two amounts say. A `fee`, in the sold currency, is a bank charge paid from the
    same account. It is undone as a manual journal is.

    :raises SameCurrency: sold and bought are of one currency.
    :raises BadInput: an amount is not above zero, the fee is in another currency, or an account
        does not exist, keeps a sub-ledger, or is the position itself.
    :raises UnknownPostingRule: the chart has given the position's or the charges' code another
        meaning.
    :raises PeriodIsClosed: it would take effect in a closed period.
    :raises BelowFloor: an account would fall below its floor.
    """
    actor.require("ledger.exchange_currency")
    if sold.currency == bought.currency:
        raise SameCurrency
    charts = _charts({"from_account": from_account, "to_account": to_account})
    _check_own_lines(charts, {CURRENCY_POSITION} if fee is None else set(_OWN_LINES))
    _check_amounts(sold=sold, bought=bought, fee=fee)
    if fee is not None and from_account == BANK_CHARGES:
        problem = FieldError.at("from_account", detail="A charge is not paid from the charges.")
        raise BadInput(errors=[problem])
    needed = NeededAccounts()

    def account(code: str, currency: str) -> UUID:
        return needed.add(chart=charts[code], currency=currency, subledger_id=None)

    giving, taking = account(from_account, sold.currency), account(to_account, bought.currency)
    legs = [
        (account(CURRENCY_POSITION, sold.currency), giving, sold),
        (taking, account(CURRENCY_POSITION, bought.currency), bought),
    ]
    if fee is not None:
        legs.append((account(BANK_CHARGES, fee.currency), giving, fee))
    open_needed(needed=needed, actor=actor)
    draft = draft_by_hand(
        pairs=legs,
        needed=needed,
        kind=TransferKind.MANUAL,
        effective_on=effective_on,
        memo=memo,
        rule=RULE,
    )
    (journal,) = write_drafts(drafts=[draft], actor=actor)
    event = CurrencyExchanged(
        subject_id=journal.id,
        effective_on=effective_on,
        sold_minor=sold.minor,
        sold_currency=sold.currency,
        bought_minor=bought.minor,
        bought_currency=bought.currency,
    )
    audit.record(event, actor=actor)
    return journal


def _charts(codes: dict[str, str]) -> dict[str, Account]:
    wanted = {*codes.values(), CURRENCY_POSITION, BANK_CHARGES}
    charts = {line.code: line for line in Account.objects.chart().filter(code__in=wanted)}
    problems = [
        FieldError.at(name, detail="This is no account that money is exchanged from or into.")
        for name, code in codes.items()
        if code not in charts or charts[code].subledger or code == CURRENCY_POSITION
    ]
    if problems:
        raise BadInput(errors=problems)
    return charts


def _check_own_lines(charts: dict[str, Account], codes: set[str]) -> None:
    """An organization that uses a code of ours otherwise keeps it: nothing is posted to it."""
    for code in sorted(codes):
        line = charts.get(code)
        if line is None or (line.kind, line.subledger) != (_OWN_LINES[code], ""):
            raise UnknownPostingRule(
                f"The account {code} has another meaning here, so nothing is exchanged over it.",
                extra={"rule": RULE, "account": code},
            )


def _check_amounts(*, sold: Money, bought: Money, fee: Money | None) -> None:
    problems = [
        FieldError.at(name, detail="The amount is above zero.")
        for name, amount in (("sold", sold), ("bought", bought), ("fee", fee))
        if amount is not None and not amount.is_positive
    ]
    if fee is not None and fee.currency != sold.currency:
        problems.append(FieldError.at("fee", detail="The fee is in the currency that is sold."))
    if problems:
        raise BadInput(errors=problems)
