"""What products do at start-up: keep their history, and seed a new organization."""

from __future__ import annotations

from shared_apps.audit import history
from shared_apps.kernel.actor import Actor
from tenant_apps.products.models import Product, TaxRate
from tenant_apps.products.services import record_first_tax_rate
from tenants.provisioning import register_spare_seed


def seed_first_tax_rate(*, actor: Actor) -> None:
    """A new organization starts without tax until it says otherwise."""
    record_first_tax_rate(actor=actor)


history.track(Product)
history.track(TaxRate)
register_spare_seed(
    order=50,
    name="products.first_tax_rate",
    function=seed_first_tax_rate,
    version=lambda: "NONE, outside scope, 0",
)
