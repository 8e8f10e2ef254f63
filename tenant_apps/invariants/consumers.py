"""Who is told of an alarm: the organization's admins and the platform's super-admins.

One message for each opening, so one mail to each of them, however often the check runs meanwhile.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from shared_apps.access.selectors import administering_memberships
from shared_apps.accounts.models import User
from shared_apps.delivery.services import send_mail
from shared_apps.kernel.invariants import title_of
from shared_apps.outbox.consumers import consumer
from shared_apps.outbox.models import OutboxMessage
from tenants.context import current_organization, platform_context
from tenants.selectors import primary_host

from .events import InvariantBroken
from .models import InvariantAlarm

_SHOWN = 5


@consumer("invariants.mail_admins", InvariantBroken)
def mail_admins(message: OutboxMessage) -> None:
    """Tell whoever administers the organization what was found."""
    alarm = InvariantAlarm.objects.get(pk=message.subject_id)
    held = administering_memberships().filter(is_active=True, user_id=OuterRef("pk"))
    admins = User.objects.filter(Exists(held), is_active=True).order_by("pk")
    context = {**_context(alarm), "findings": alarm.findings[:_SHOWN]}
    for address in admins.values_list("email", flat=True):
        send_mail(to=address, template="invariant_broken", context=context)


@consumer("invariants.mail_super_admins", InvariantBroken)
def mail_super_admins(message: OutboxMessage) -> None:
    """Tell the platform's people where to look. What the books say is the organization's affair."""
    organization = current_organization()
    context = {
        **_context(InvariantAlarm.objects.get(pk=message.subject_id)),
        "host": primary_host(organization),
        "organization_name": organization.name,
    }
    with platform_context(reason="tell super-admins of a broken invariant"):
        super_admins = User.objects.filter(is_active=True, is_staff=True).order_by("pk")
        for address in super_admins.values_list("email", flat=True):
            send_mail(to=address, template="invariant_broken_platform", context=context)


def _context(alarm: InvariantAlarm) -> dict[str, Any]:
    return {
        "title": title_of(alarm.invariant),
        "invariant": alarm.invariant,
        "opened_at": alarm.opened_at,
        "count": len(alarm.findings),
        "stops_money": alarm.concerns == "ledger",
    }
