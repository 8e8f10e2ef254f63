"""Builds the template database: public, and two neighbours whose rows have equal primary keys.

Run as the owner: `python -m tests.template`.
"""

import itertools
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

SUBDOMAINS = ("acme", "neighbour")
NAMES = {"acme": "Acme Trading", "neighbour": "Neighbour Stores"}
# Enough for what one test signs up; a clone has them all again.
SPARES = 2
CURRENCIES = {"acme": "KES", "neighbour": "KES"}


@contextmanager
def repeatable_ids(*, day: int = 0) -> Iterator[None]:
    """Let `uuid7` give the same ids in the same order each time the block is entered.

    Blocks of different days give different ids.
    """
    from shared_apps.kernel import ids

    dice = random.Random(2026 + day)
    ticks = itertools.count((20_000 + day) * 86_400 * 10**9, 1_000_000)
    with (
        mock.patch.object(ids, "_last_tick", 0),
        mock.patch.object(ids.secrets, "randbits", dice.getrandbits),
        mock.patch.object(ids.time, "time_ns", lambda: next(ticks)),
    ):
        yield


def build() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.db import transaction

    from shared_apps.kernel.actor import Actor, AllowsEverything
    from tenants import fleet, provisioning
    from tenants.context import platform_context, tenant_context
    from tenants.models import SpareSchema
    from tenants.selectors import host_of
    from tenants.services import OrganizationFacts, claim_schema

    fleet.migrate_fleet(progress=lambda line: None)
    for subdomain in SUBDOMAINS:
        schema_name = f"t_test_{subdomain}"
        fleet.build_schema(schema_name)
        with repeatable_ids(day=-1):
            fleet.seed_spare(schema_name)
        with platform_context(reason="build the template"), transaction.atomic():
            SpareSchema.objects.create(schema_name=schema_name, fingerprint=fleet.fingerprint())
            organization = claim_schema(
                facts=OrganizationFacts(
                    name=NAMES[subdomain],
                    legal_name=f"{NAMES[subdomain]} Limited",
                    country="KE",
                    tax_number="P051234567A",
                    base_currency=CURRENCIES[subdomain],
                    time_zone="Africa/Nairobi",
                    entitlements={"quotas": {}, "features": []},
                ),
                host=host_of(subdomain),
            )
        with tenant_context(organization), transaction.atomic(), repeatable_ids():
            actor = Actor(
                request_id="template", label="system:template", checker=AllowsEverything()
            )
            provisioning.seed(organization, actor=actor)
    # Last: a claim takes the oldest spare, and the neighbours must get those with equal ids.
    for number in range(SPARES):
        fleet.build_spare_schema(f"t_test_spare_{number}")


if __name__ == "__main__":
    build()
