"""What invoices do at start-up."""

from __future__ import annotations

from shared_apps.audit import history
from shared_apps.kernel.actor import Actor
from tenant_apps.invoices.models import Invoice, InvoiceSeries
from tenant_apps.invoices.services import record_first_series
from tenants.models import Organization
from tenants.provisioning import register_seed


def seed_first_series(organization: Organization, *, actor: Actor) -> None:
    """Invoices need a range of numbers from the first day."""
    record_first_series(actor=actor)


history.track(Invoice, exclude=("outstanding_minor", "state"), mask=("recipient_details",))
history.track(InvoiceSeries)
register_seed(order=50, name="invoices.first_series", function=seed_first_series)
