"""What access does about events of lower floors after they are committed."""

from __future__ import annotations

from shared_apps.access.bundles import ADMIN
from shared_apps.access.selectors import active_holders_of
from shared_apps.delivery.services import send_mail
from shared_apps.outbox.consumers import consumer
from shared_apps.outbox.models import OutboxMessage
from shared_apps.seals import keys
from shared_apps.seals.events import HeadsAnchored


@consumer("access.mail_heads", HeadsAnchored)
def mail_heads(message: OutboxMessage) -> None:
    """Send the admins the heads of the day: what nobody can take back from a mailbox."""
    heads = [
        dict(zip(("chain", "segment", "rows", "digest"), head.split(), strict=True))
        for head in message.payload["heads"]
    ]
    published = [key for key in keys.published() if key.signs_now]
    for admin in active_holders_of(role=ADMIN).order_by("email"):
        send_mail(
            to=admin.email,
            template="seal_heads",
            context={"name": admin.full_name, "heads": heads, "keys": published},
        )
