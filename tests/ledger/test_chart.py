"""The chart of accounts: the standard lines, the organization's own, and closed ones."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden, NotFound
from tenant_apps.ledger import chart
from tenant_apps.ledger.errors import (
    AccountAlreadyClosed,
    AccountCodeTaken,
    AccountNotClosed,
    AccountNotEmpty,
    AccountUnusable,
)
from tenant_apps.ledger.models import Account, PostingRule, PostingRuleLine
from tenant_apps.ledger.services import (
    JournalLine,
    add_account,
    close_account,
    post,
    post_manual_journal,
    reopen_account,
)
from tenant_apps.ledger.services.chart import seed_chart
from tests.ledger.conftest import kes, posting

pytestmark = pytest.mark.usefixtures("tenant")

Read = Callable[..., str]


def pay(actor: Actor, code: str, *, legs: int = 1) -> Any:
    """Five shillings out of cash, and out of the bank where there are two legs."""
    lines = [JournalLine(account_code=code, side="debit", amount=kes("5.00"))] * legs
    for source in ("1000", "1010")[:legs]:
        lines.append(JournalLine(account_code=source, side="credit", amount=kes("5.00")))
    return post_manual_journal(actor=actor, lines=lines, effective_on=date(2026, 11, 5), memo="-")


def line(code: str) -> Account:
    return Account.objects.chart().get(code=code)


def test_an_organization_starts_with_the_standard_chart_and_rules() -> None:
    lines = Account.objects.chart()
    assert {account.code for account in lines} == {line.code for line in chart.CHART}
    assert set(PostingRule.objects.values_list("code", flat=True)) == {
        rule.code for rule in chart.RULES
    }
    assert PostingRuleLine.objects.count() == sum(len(rule.lines) for rule in chart.RULES)


def test_seeding_again_changes_nothing(tenant: Any, actor: Actor) -> None:
    before = list(Account.objects.values_list("id", "name"))
    seed_chart(actor=actor)
    assert list(Account.objects.values_list("id", "name")) == before
    assert PostingRule.objects.count() == len(chart.RULES)


def test_a_line_of_the_organizations_own(actor: Actor, balance: Read) -> None:
    added = add_account(actor=actor, code="5210", name="Electricity", kind="expense")
    assert (added.normal_side, added.currency) == ("debit", None)
    pay(actor, "5210")
    assert balance("5210") == "5.00"
    assert AuditEntry.objects.get(event_name="ledger.account_added").subject_id == added.id
    with pytest.raises(AccountCodeTaken):
        add_account(actor=actor, code="5210", name="Water", kind="expense")


@pytest.mark.parametrize("opened_before", [True, False])
def test_nothing_is_posted_to_a_closed_line(actor: Actor, opened_before: bool) -> None:
    added = add_account(actor=actor, code="5210", name="Electricity", kind="expense")
    if opened_before:
        pay(actor, "5210")
        with pytest.raises(AccountNotEmpty):
            close_account(actor=actor, account_id=added.id)
        lines = [
            JournalLine(account_code="5210", side="credit", amount=kes("5.00")),
            JournalLine(account_code="1000", side="debit", amount=kes("5.00")),
        ]
        post_manual_journal(actor=actor, lines=lines, effective_on=date(2026, 11, 6), memo="-")
    close_account(actor=actor, account_id=added.id)
    for legs in (1, 2):
        with pytest.raises(AccountUnusable), transaction.atomic():
            pay(actor, "5210", legs=legs)
    with pytest.raises(AccountAlreadyClosed):
        close_account(actor=actor, account_id=added.id)
    reopen_account(actor=actor, account_id=added.id)
    pay(actor, "5210")
    with pytest.raises(AccountNotClosed):
        reopen_account(actor=actor, account_id=added.id)


def test_a_line_that_a_rule_uses_stays_open(actor: Actor) -> None:
    with pytest.raises(AccountNotEmpty):
        close_account(actor=actor, account_id=line("4000").id)


def test_only_a_line_of_the_chart_is_closed(actor: Actor) -> None:
    customer = uuid4()
    post(postings=[posting("payment.received.cash", amount="1.00", party=customer)], actor=actor)
    with pytest.raises(NotFound):
        close_account(actor=actor, account_id=Account.objects.get(subledger_id=customer).id)


def test_who_may_not_changes_nothing() -> None:
    nobody = Actor(request_id="test-nobody")
    with pytest.raises(Forbidden):
        add_account(actor=nobody, code="5210", name="Electricity", kind="expense")
    with pytest.raises(NotFound):
        close_account(actor=nobody, account_id=line("5900").id)
    assert line("5900").status == "open"


def test_balances_have_room_on_their_pages_and_a_vacuum_that_keeps_up(tenant: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reloptions FROM pg_class WHERE oid = %s::regclass", ["ledger_balance"]
        )
        (options,) = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM pg_constraint WHERE confrelid = %s::regclass", ["ledger_balance"]
        )
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass", ["ledger_balance"]
        )
        assert cursor.fetchone() == (1,)
    assert set(options) == {
        "fillfactor=60",
        "autovacuum_vacuum_scale_factor=0",
        "autovacuum_vacuum_threshold=2000",
        "autovacuum_vacuum_cost_delay=0",
    }
