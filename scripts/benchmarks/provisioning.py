"""Claiming a spare schema against making one while the visitor waits."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from scripts.benchmarks.goals import Figure, Goal
from scripts.state import PROJECT

ABOUT = (
    "Claims spare schemas and seeds them (roles, chart of accounts, posting rules, first admin;"
    " the password's hash is given), and makes schemas as the tenancy library does (CREATE SCHEMA"
    " and its migrations), in turn. Medians; the ratio is the library's time over the claim's."
)
GOALS = {"library_over_claim": Goal(at_least=50.0)}
CLAIMS = 12


def as_owner(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.provisioning", *arguments],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_LOGIN": "owner"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def _owner_main(what: str, count: int) -> None:
    """In the owner's process: fill the pool, or make schemas as the library does."""
    import django

    django.setup()
    from django.core.management.commands.migrate import Command as MigrateCommand
    from django_tenants.migration_executors.base import run_migrations

    from tenants import fleet, roles

    if what == "fill":
        fleet.fill_pool(wanted=count, progress=lambda line: None)
        return
    options = vars(MigrateCommand().create_parser("manage.py", "migrate").parse_args([]))
    options |= {"verbosity": 0, "interactive": False, "skip_checks": True}
    for _ in range(count):
        name = fleet.new_schema_name()
        started = time.perf_counter()
        roles.prepare_schema(name)
        run_migrations([], options, "bench", name)
        print(time.perf_counter() - started)


def claim(number: int) -> Callable[[], Any]:
    from django.contrib.auth.hashers import make_password

    from shared_apps.access.actors import system_actor
    from shared_apps.kernel.ids import uuid7
    from shared_apps.onboarding.services import SignUpFacts, provision_organization
    from shared_apps.plans.selectors import default_plan
    from tenants.context import platform_context

    password_hash = make_password("a long and quiet evening")

    def claimed() -> Any:
        with platform_context(reason="benchmark"):
            return provision_organization(
                facts=SignUpFacts(
                    name=f"Bench {number}",
                    legal_name=f"Bench {number} Limited",
                    subdomain=f"bench-{'abcdefghjkmnpqrtuvwxyz'[number]}x",
                    country="KE",
                    tax_number="",
                    base_currency="KES",
                    time_zone="Africa/Nairobi",
                    fiscal_year_start_month=1,
                    fiscal_year_start_day=1,
                ),
                plan=default_plan(),
                admin_email=f"admin@bench{number}.example",
                admin_name="Bench Admin",
                password_hash=password_hash,
                organization_id=uuid7(),
                actor=system_actor("benchmark"),
            )

    return claimed


def sign_up() -> None:
    """A whole sign-up, from the form to the login code; the link is taken out of the mail."""
    from django.core import mail

    from shared_apps.access.actors import system_actor
    from shared_apps.kernel.actor import Actor
    from shared_apps.onboarding.services import (
        SignUpFacts,
        provision_for_visitor,
        request_sign_up,
        verify_sign_up,
    )
    from tenants.context import platform_context

    visitor: Actor = system_actor("benchmark")
    with platform_context(reason="benchmark"):
        request_sign_up(
            facts=SignUpFacts(
                name="Bench Visitor",
                legal_name="Bench Visitor Limited",
                subdomain="bench-visitor",
                country="KE",
                tax_number="",
                base_currency="KES",
                time_zone="Africa/Nairobi",
                fiscal_year_start_month=1,
                fiscal_year_start_day=1,
            ),
            admin_name="Bench Admin",
            admin_email="admin@visitor.example",
            password="a long and quiet evening",
            actor=visitor,
        )
        token = str(mail.outbox[-1].body).partition("token=")[2].split()[0]
        verified = verify_sign_up(token=token, password="a long and quiet evening", actor=visitor)
        provision_for_visitor(sign_up_id=verified.id, actor=visitor)


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Measure; seconds, but for the ratio and the count."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext, override_settings

    progress(f"{CLAIMS + 2} spare schemas")
    as_owner("fill", str(CLAIMS + 2))
    references: list[float] = []
    claims: list[float] = []
    with CaptureQueriesContext(connection) as captured:
        claim(0)()
    memory = override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
    with memory, CaptureQueriesContext(connection) as whole:
        sign_up()
    for number in range(1, CLAIMS + 1):
        claimed = claim(number)
        started = time.perf_counter()
        claimed()
        claims.append(time.perf_counter() - started)
        if number % (CLAIMS // 3) == 1:
            progress(f"claim {number} of {CLAIMS}, the library's own beside it")
            references += [float(line) for line in as_owner("reference", "2").split()]
    return {
        "claim_and_seed_seconds": statistics.median(claims),
        "library_schema_seconds": statistics.median(references),
        "library_over_claim": statistics.median(references) / statistics.median(claims),
        "statements_of_a_claim": len(captured.captured_queries),
        "statements_of_a_sign_up": len(whole.captured_queries),
    }


if __name__ == "__main__":
    _owner_main(sys.argv[1], int(sys.argv[2]))
