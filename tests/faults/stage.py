"""What stands before each round: people, sellers with wallets, and clients with credit limits."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from shared_apps.kernel import clock
from tests import databases

SELLERS = ("sita", "seth")
CLIENTS = ("Mto Traders", "Ziwa Limited", "Kilima Stores")
# What each seller has to begin with, and the first one's limit of a day.
CREDIT, DAILY_LIMIT = "300.00", "150.00"
CREDIT_LIMIT = "400.00"
# The line and the deposit of which the desks take and hold.
DESK_CREDIT, DESK_DEPOSIT = "60.00", "200.00"
DESK = UUID("01900000-0000-7000-8000-00000000de5c")
# The day of every act. It is part of what a key stands for, so it stays, wherever the clock jumps;
# and a clock that jumps back must not bring it into the future.
DAY = clock.today("Africa/Nairobi") - timedelta(days=5)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Ids and names that the operations of a round speak of."""

    organization: Any
    tokens: dict[str, str]
    wallets: dict[str, str]
    seller_references: dict[str, str]
    clients: tuple[str, ...]


def template() -> str:
    """The name of the database that every round's is a copy of; it is built once."""
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    name = f"kontor_template_{databases.fingerprint()}_{own}_{DAY:%m%d}"
    with databases.owner_connection() as server:
        if _exists(server, name):
            return name
    bare = databases.template()
    databases.clone(bare, f"{name}_building")
    subprocess.run(
        [sys.executable, "-m", "tests.faults.stage"],
        cwd=databases.ROOT,
        check=True,
        env=databases.environment_for(f"{name}_building"),
    )
    with databases.owner_connection() as server:
        server.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(f"{name}_building"), sql.Identifier(name)
            )
        )
    return name


def _exists(server: psycopg.Connection, name: str) -> bool:
    return bool(server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())


def build() -> None:
    """Set the stage in Acme, in a database that holds nothing else."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.db import transaction

    from tenants.context import tenant_context
    from tenants.selectors import organization_by_subdomain

    with tenant_context(organization_by_subdomain("acme")), transaction.atomic():
        _people_and_wallets()


def _people_and_wallets() -> None:
    from shared_apps.access.actors import system_actor
    from tenant_apps.ledger.services import open_credit_line, post, set_credit_limit
    from tenant_apps.wallets import services as wallets
    from tests.cast import assemble
    from tests.deals.stories import a_client
    from tests.ledger.conftest import posting
    from tests.limits.stories import a_limit
    from tests.wallets.stories import allow_transfers, credit, kes, open_market

    cast, market, actor = assemble(), open_market(), system_actor("stage")
    for name in SELLERS:
        credit(market, CREDIT, of=name)
    allow_transfers(market)
    wallets.change_wallet(
        actor=market.actor("wanda"),
        wallet_id=market.wallets["sita"].pk,
        changes={"daily_limit": kes(DAILY_LIMIT), "low_balance": kes("50.00")},
    )
    for name in CLIENTS:
        a_limit(cast, a_client(cast, name=name), CREDIT_LIMIT)
    post(
        postings=[posting("payment.received.cash", amount=DESK_DEPOSIT, party=DESK, day=DAY)],
        actor=actor,
    )
    open_credit_line(subject_type="tests.desk", subject_id=DESK, currency="KES", actor=actor)
    set_credit_limit(
        id=DESK,
        subject_type="tests.desk",
        subject_id=DESK,
        currency="KES",
        limit=kes(DESK_CREDIT),
        effective_on=DAY,
        source_type="tests.decision",
        source_id=DESK,
        actor=actor,
    )


def read(organization: Any) -> Stage:
    """Everybody signed in, and what they work with; in the organization's context."""
    from django.db import transaction

    from shared_apps.access.actors import system_actor
    from shared_apps.accounts.models import User
    from shared_apps.accounts.services import start_session
    from tenant_apps.parties.models import Party
    from tenant_apps.wallets.models import Wallet

    with transaction.atomic():
        tokens = {
            user.email: start_session(
                user=user,
                method="credentials",
                actor=system_actor("stage"),
                second_factor_at=clock.now(),
            ).tokens.access
            for user in User.objects.order_by("email")
        }
    wallets = list(Wallet.objects.select_related("seller__party"))
    named = {wallet.seller.party.name.split()[-1].lower(): wallet for wallet in wallets}
    parties = {party.name: party for party in Party.objects.filter(name__in=CLIENTS)}
    return Stage(
        organization=organization,
        tokens=tokens,
        wallets={name: str(wallet.pk) for name, wallet in named.items()},
        seller_references={name: wallet.seller.reference for name, wallet in named.items()},
        clients=tuple(str(parties[name].pk) for name in CLIENTS),
    )


if __name__ == "__main__":
    build()
