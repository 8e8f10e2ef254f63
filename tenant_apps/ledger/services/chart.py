"""The first rows of an organization's books."""

from shared_apps.audit import history
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from tenant_apps.ledger import chart
from tenant_apps.ledger.models import Account, PostingRule, PostingRuleLine


@step
def seed_chart(*, actor: Actor) -> None:
    """Write the standard chart of accounts and posting rules; what stands already stays.

    An organization that has given a code another meaning keeps it: rules over that line are left
    out, and what would post by them is refused by name (`unknown_posting_rule`).
    """
    by_code = {account.code: account for account in Account.objects.chart()}
    accounts = [
        Account(
            code=line.code,
            name=line.name,
            kind=line.kind,
            normal_side=line.normal_side,
            subledger=line.subledger,
            lock_rank=line.lock_rank,
            floor=line.floor,
            deferred=line.deferred,
            created_by_id=actor.user_id,
        )
        for line in chart.CHART
        if line.code not in by_code
    ]
    Account.objects.bulk_create(accounts)
    by_code.update((account.code, account) for account in accounts)

    usable = {
        line.code
        for line in chart.CHART
        if (by_code[line.code].kind, by_code[line.code].subledger) == (line.kind, line.subledger)
    }
    known = set(PostingRule.objects.values_list("code", flat=True))
    rules = [
        PostingRule(code=rule.code, name=rule.name, created_by_id=actor.user_id)
        for rule in chart.RULES
        if rule.code not in known
        and all({line.debit, line.credit} <= usable for line in rule.lines)
    ]
    PostingRule.objects.bulk_create(rules)
    rules_by_code = {rule.code: rule for rule in rules}
    lines = [
        PostingRuleLine(
            rule=rules_by_code[rule.code],
            position=position,
            amount_name=line.amount,
            debit_account=by_code[line.debit],
            credit_account=by_code[line.credit],
            created_by_id=actor.user_id,
        )
        for rule in chart.RULES
        if rule.code in rules_by_code
        for position, line in enumerate(rule.lines, start=1)
    ]
    PostingRuleLine.objects.bulk_create(lines)
    for rows in (accounts, rules, lines):
        history.record_bulk_created(rows, actor=actor)
