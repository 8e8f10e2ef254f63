"""What holds for all wallets."""

from __future__ import annotations

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from tenant_apps.wallets import events
from tenant_apps.wallets.models import WalletPolicy


@transaction.atomic
def change_policy(
    *, actor: Actor, transfers_allowed: bool | None = None, expected_version: int | None = None
) -> WalletPolicy:
    """Say whether sellers may give credit to each other, unless a seller's own setting differs.

    What is None stays as it is.

    :raises Forbidden: the actor may not change the policy.
    :raises PreconditionFailed: it is at another version.
    """
    actor.require("wallets.change_walletpolicy")
    # The first two who change it at once both insert; one of them finds the other's row.
    WalletPolicy.objects.bulk_create(
        [WalletPolicy(created_by_id=actor.user_id)], ignore_conflicts=True
    )
    policy = WalletPolicy.objects.all().for_change().get()
    policy.check_version(expected_version)
    if transfers_allowed is None or policy.transfers_allowed == transfers_allowed:
        return policy
    policy.transfers_allowed = transfers_allowed
    policy.updated_by_id = actor.user_id
    policy.raise_version()
    policy.save()
    audit.record(
        events.WalletPolicyChanged(subject_id=policy.id, transfers_allowed=transfers_allowed),
        actor=actor,
    )
    return policy
