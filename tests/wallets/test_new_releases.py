"""What a release adds to roles, chart and rules reaches organizations that came before it."""

from typing import Any

from shared_apps.access.models import Role
from shared_apps.kernel.actor import Actor
from tenant_apps.ledger import chart
from tenant_apps.ledger.models import Account, PostingRule
from tenant_apps.ledger.services import add_account
from tenants import provisioning
from tests.people import machine
from tests.snapshots import changed, snapshot


def renew(actor: Actor) -> None:
    provisioning.renew(actor=actor)


def forget_wallets() -> None:
    """As an organization stood before there were wallets."""
    PostingRule.objects.filter(code__startswith="wallet.").delete()
    Account.objects.filter(code__in=["2400", "2410"]).delete()
    Role.objects.filter(code__in=["seller", "wallet_admin"]).delete()


def test_missing_lines_rules_and_roles_are_brought(tenant: Any) -> None:
    forget_wallets()
    renew(machine())
    line = Account.objects.chart().get(code="2400")
    assert (line.subledger, line.floor) == ("seller", 0)
    rules = PostingRule.objects.filter(code__startswith="wallet.")
    assert rules.count() == sum(rule.code.startswith("wallet.") for rule in chart.RULES)
    assert Role.objects.get(code="seller").grants.exists()


def test_a_second_time_changes_nothing(tenant: Any) -> None:
    forget_wallets()
    renew(machine())
    before = snapshot()
    renew(machine())
    assert changed(before) == []


def test_a_code_that_the_organization_uses_otherwise_stays_its_own(tenant: Any) -> None:
    forget_wallets()
    own = add_account(actor=machine(), code="2400", name="Gift cards", kind="liability")
    renew(machine())
    assert Account.objects.chart().get(code="2400").pk == own.pk
    assert not PostingRule.objects.filter(code__startswith="wallet.").exists()
    assert Account.objects.chart().filter(code="2410").exists()


def test_a_role_of_the_organizations_own_keeps_its_code(tenant: Any) -> None:
    forget_wallets()
    own = Role.objects.create(code="seller", name="Our sellers")
    renew(machine())
    own.refresh_from_db()
    assert (own.name, own.is_standard, own.grants.count()) == ("Our sellers", False, 0)
    assert Role.objects.get(code="wallet_admin").is_standard
