"""The step that opens accounts."""

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from tenant_apps.ledger import database
from tenant_apps.ledger.needed import NeededAccounts


@step
def open_needed(*, needed: NeededAccounts, actor: Actor) -> None:
    """Open the accounts that are missing. Safe beside others who open the same."""
    missing = needed.missing()
    if missing:
        database.open_accounts(accounts=missing, opened_at=clock.now(), actor_id=actor.user_id)
