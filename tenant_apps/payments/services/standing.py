"""What payments that stand on a deal demand of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import F, Q

from shared_apps.kernel.operations import step
from tenant_apps.payments import errors
from tenant_apps.payments.models import Payment, PaymentState

_NAMED_AT_MOST = 5


@step
def check_payers(*, deal_ids: Iterable[UUID]) -> None:
    """Whether whatever was paid on these deals, and was not refused, was paid by their clients.

    A step of changing deals, which has locked them: so does whoever records a payment.

    :raises PaidByAnother: money of another client stands on one of them.
    """
    of_others = (
        Payment.objects.standing()
        .filter(deal_id__in=set(deal_ids))
        .filter(Q(deal__client__isnull=True) | ~Q(client_id=F("deal__client_id")))
        .order_by("id")
        .values_list("reference", "state", "deal__reference")
    )
    found = list(of_others[: _NAMED_AT_MOST + 1])
    if not found:
        return
    named, deal, references = _named(found)
    if any(state == PaymentState.VERIFIED for _, state, _ in found):
        advice = "Record a deal of its own for the other client: verified money stays."
    else:
        advice = "Withdraw or reject them first, or record a deal of its own for the other client."
    raise errors.PaidByAnother(
        f"{named} on {deal} came from the present client. {advice}",
        extra={"deal": deal, "payments": references},
    )


@step
def check_no_money_stands(*, deal_ids: Iterable[UUID]) -> None:
    """Whether nothing was paid on these deals that nobody has refused or taken back.

    A step of losing deals, which has locked them: so does whoever records a payment.

    :raises DealHoldsMoney: a payment stands on one of them.
    """
    standing = (
        Payment.objects.standing()
        .filter(deal_id__in=set(deal_ids))
        .order_by("id")
        .values_list("reference", "state", "deal__reference")
    )
    found = list(standing[: _NAMED_AT_MOST + 1])
    if not found:
        return
    named, deal, references = _named(found)
    if any(state == PaymentState.VERIFIED for _, state, _ in found):
        advice = "Win it at the value that was agreed, or leave it open: verified money stays."
    else:
        advice = "Withdraw or reject them first."
    raise errors.DealHoldsMoney(
        f"{named} on {deal} would be left behind. {advice}",
        extra={"deal": deal, "payments": references},
    )


def _named(found: Sequence[tuple[str, str, str]]) -> tuple[str, str, list[str]]:
    """A few payments by reference, the deal of the first, and the references as they stand."""
    references = [reference for reference, _, _ in found[:_NAMED_AT_MOST]]
    named = ", ".join(references) + (" and others" if len(found) > _NAMED_AT_MOST else "")
    return named, found[0][2], references
