"""What accounts does about events after they are committed."""

from __future__ import annotations

from shared_apps.accounts import services
from shared_apps.accounts.events import PasswordResetRequested
from shared_apps.outbox.consumers import consumer
from shared_apps.outbox.models import OutboxMessage


@consumer("accounts.reset_links", PasswordResetRequested)
def mail_reset_link(message: OutboxMessage) -> None:
    """The link is made here and not in the request, so that asking takes as long for nobody."""
    services.mail_reset_link(user_id=message.subject_id)
