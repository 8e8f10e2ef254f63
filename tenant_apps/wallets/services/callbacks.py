"""Late answers: what a provider says of a sale without being asked."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import transaction

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import NotFound
from shared_apps.kernel.operations import step
from shared_apps.kernel.transactions import retrying
from tenant_apps.wallets import errors
from tenant_apps.wallets.models import ChargeSale, ProviderCallback
from tenant_apps.wallets.providers import ChargeAnswer, Outcome
from tenants.context import organization_id

from .delivering import settle_sale

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackMessage:
    """What a provider signed; `reference` is what it knows the sale by."""

    message_id: str
    organization_id: UUID
    reference: UUID
    outcome: str
    provider_reference: str = ""
    reason: str = ""


@step
def take_callback(*, message: CallbackMessage, actor: Actor) -> bool:
    """Settle a sale by what its provider says of it, once for each message.

    Answers whether the message was new. The first final word about a sale holds, in whatever order
    answers and callbacks come. Only what is verified (`providers.callbacks`) may get here.

    :raises CallbackForAnother: it is meant for another organization.
    :raises NotFound: no sale has this reference.
    :raises CallbackIdReused: another message had the same id.
    """
    if message.organization_id != organization_id():
        raise errors.CallbackForAnother
    return retrying(lambda: _take(message, actor=actor))


@transaction.atomic
def _take(message: CallbackMessage, *, actor: Actor) -> bool:
    sale = ChargeSale.objects.filter(charge_reference=message.reference).first()
    if sale is None:
        raise NotFound("No sale has this reference.")
    row = ProviderCallback(
        message_id=message.message_id,
        sale=sale,
        outcome=message.outcome,
        provider_reference=message.provider_reference,
        reason=message.reason,
    )
    # Of two that come at once, the second waits here for the first.
    ProviderCallback.objects.bulk_create([row], ignore_conflicts=True)
    kept = ProviderCallback.objects.get(message_id=message.message_id)
    if kept.pk != row.pk:
        if (kept.sale_id, kept.outcome) != (sale.pk, message.outcome):
            raise errors.CallbackIdReused
        return False
    answer = ChargeAnswer(
        outcome=Outcome(message.outcome),
        provider_reference=message.provider_reference,
        reason=message.reason,
    )
    settle_sale(sale_id=sale.pk, answer=answer, actor=actor)
    return True
