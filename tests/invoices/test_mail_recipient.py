"""The recipient of an invoice is told by mail ..."""

from typing import Any

from shared_apps.delivery.models import Mail
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.invoices.subscribers import mail_recipient
from tenant_apps.parties.services import add_contact
from tests.cast import Cast
from tests.deals.stories import a_client
from tests.invoices.test_record_allocations import an_invoice


def tell(cast: Cast, **client: Any) -> None:
    party = a_client(cast, **client)
    if not client:
        add_contact(
            actor=cast.system,
            party_id=party.pk,
            values={"full_name": "Jane Wanjiku", "email": "jane@mto.test"},
        )
    an_invoice(cast, client_id=party.pk)
    mail_recipient(OutboxMessage.objects.get(event_name="invoices.invoice_issued"))


def test_at_the_contact_that_receives_invoices(cast: Cast) -> None:
    tell(cast)

    mail = Mail.objects.get()
    assert mail.to == "jane@mto.test"
    assert mail.subject.startswith("Invoice INV-")
    assert "Hello Jane Wanjiku" in mail.text
    assert "KES 1250.00" in mail.text


def test_only_where_an_address_is_known(cast: Cast) -> None:
    tell(cast, city="Nakuru")

    assert not Mail.objects.exists()
