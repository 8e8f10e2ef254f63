"""The chart's own lines, and the accounts under them that postings open."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.ledger import database
from tenant_apps.ledger.chart import NORMAL_SIDES, SHARED
from tenant_apps.ledger.errors import (
    AccountAlreadyClosed,
    AccountCodeTaken,
    AccountNotClosed,
    AccountNotEmpty,
    UnknownAccount,
)
from tenant_apps.ledger.events import AccountAdded, AccountClosed, AccountReopened
from tenant_apps.ledger.folding import fold_under_locks, lock_line
from tenant_apps.ledger.models import (
    Account,
    AccountKind,
    AccountQuerySet,
    AccountStatus,
    Balance,
    PostingRuleLine,
)
from tenant_apps.ledger.needed import NeededAccounts


@step
def open_needed(*, needed: NeededAccounts, actor: Actor) -> None:
    """Open the accounts that are missing. Safe beside others who open the same."""
    missing = needed.missing()
    if missing:
        database.open_accounts(accounts=missing, opened_at=clock.now(), actor_id=actor.user_id)


@step
def lock_account(
    *, account_code: str, currency: str, subledger_id: UUID | None, actor: Actor
) -> Money:
    """Open an account unless it is open, and lock it until the transaction ends.

    Answers what it holds. Postings to it wait, so that what is decided by it stays true.

    :raises UnknownAccount: the chart has no such line.
    """
    chart = Account.objects.chart().filter(code=account_code).first()
    if chart is None:
        raise UnknownAccount(f"The chart has no account {account_code}.")
    needed = NeededAccounts()
    account_id = needed.add(chart=chart, currency=currency, subledger_id=subledger_id)
    open_needed(needed=needed, actor=actor)
    database.lock_balances(account_ids=[account_id])
    if chart.deferred:
        raise RuntimeError("Credits of this account do not wait for its lock.")
    posted = Balance.objects.filter(account_id=account_id).aggregate(posted=Sum("posted"))
    return Money(int(posted["posted"] or 0), currency)


@transaction.atomic
def add_account(*, actor: Actor, code: str, name: str, kind: str) -> Account:
    """Add a line of the organization's own to the chart.

    :raises AccountCodeTaken: the chart has a line with this code.
    """
    actor.require("ledger.add_account")
    account = Account(
        code=code,
        name=name,
        kind=kind,
        normal_side=NORMAL_SIDES[AccountKind(kind)],
        lock_rank=SHARED,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError as problem:
        raise AccountCodeTaken(extra={"code": code}) from problem
    audit.record(AccountAdded(subject_id=account.id, code=code), actor=actor)
    return account


@transaction.atomic
def close_account(*, actor: Actor, account_id: UUID) -> Account:
    """Close a line of the chart and all accounts under it: nothing more is posted to them.

    :raises NotFound: there is no such line.
    :raises AccountAlreadyClosed: it is closed.
    :raises AccountNotEmpty: an account under it holds something, or a posting rule uses it.
    """
    account = _visible(actor).obtain(account_id)
    actor.require("ledger.close_account", account)
    _refuse_unless_unused(account)
    # Who credits an account later needs no balance of it: they wait as well, and what they left to
    # be counted is counted first.
    lock_line(line_id=account_id)
    account = _visible(actor).locked(account_id)
    _refuse_unless_unused(account)
    accounts = account.accounts.order_by("lock_rank", "id").values_list("id", flat=True)
    fold_under_locks(account_ids=list(accounts))
    held_under = Balance.objects.filter(account__parent=account).values("account_id")
    sums = held_under.annotate(posted_sum=Sum("posted"), held_sum=Sum("held"))
    if sums.exclude(posted_sum=0, held_sum=0).exists():
        raise AccountNotEmpty(
            "Something is held under it. Bring that to another account by a journal first."
        )
    _set_status(account, AccountStatus.CLOSED, actor=actor)
    audit.record(AccountClosed(subject_id=account.id, code=account.code), actor=actor)
    return account


@transaction.atomic
def reopen_account(*, actor: Actor, account_id: UUID) -> Account:
    """Open a closed line of the chart, and the accounts under it, again.

    :raises NotFound: there is no such line.
    :raises AccountNotClosed: it is open.
    """
    actor.require("ledger.close_account", _visible(actor).obtain(account_id))
    lock_line(line_id=account_id)
    account = _visible(actor).locked(account_id)
    if account.status == AccountStatus.OPEN:
        raise AccountNotClosed
    _set_status(account, AccountStatus.OPEN, actor=actor)
    audit.record(AccountReopened(subject_id=account.id, code=account.code), actor=actor)
    return account


def _visible(actor: Actor) -> AccountQuerySet:
    visible: AccountQuerySet = actor.visible(Account.objects.chart(), "ledger.view_account")
    return visible


def _refuse_unless_unused(account: Account) -> None:
    if account.status == AccountStatus.CLOSED:
        raise AccountAlreadyClosed
    if PostingRuleLine.objects.using_account(account).exists():
        raise AccountNotEmpty("A posting rule uses it, so it stays open.")


def _set_status(account: Account, status: AccountStatus, *, actor: Actor) -> None:
    moment = clock.now()
    account.status = status
    account.updated_by_id = actor.user_id
    account.save(update_fields=["status", "updated_at", "updated_by_id"])
    database.set_open(chart_id=account.id, is_open=status == AccountStatus.OPEN)
    account.accounts.update(status=status, updated_at=moment, updated_by_id=actor.user_id)
