"""Which lines of the chart are credited later."""

from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from tenant_apps.ledger.errors import AccountNotDeferrable
from tenant_apps.ledger.events import AccountDeferralChanged
from tenant_apps.ledger.models import Account


@transaction.atomic
def set_deferral(*, actor: Actor, account_id: UUID, deferred: bool) -> Account:
    """Say whether what posting rules credit a line of the chart with is counted later.

    What is being posted meanwhile may still go the other way; both are right.

    :raises NotFound: there is no such line.
    :raises AccountNotDeferrable: somebody decides by what its accounts hold.
    """
    account: Account = actor.visible(Account.objects.chart(), "ledger.view_account").locked(
        account_id
    )
    actor.require("ledger.defer_account", account)
    if deferred and (account.floor is not None or account.subledger):
        raise AccountNotDeferrable(extra={"code": account.code})
    if account.deferred == deferred:
        return account
    account.deferred = deferred
    account.updated_by_id = actor.user_id
    account.save(update_fields=["deferred", "updated_at", "updated_by_id"])
    event = AccountDeferralChanged(subject_id=account.id, code=account.code, deferred=deferred)
    audit.record(event, actor=actor)
    return account
