"""Many processes with a mixture of acts on the same few accounts, and what must hold after it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.mixture import PLACES, Outcomes, Storm, play, prepare
from scripts.benchmarks.mixture_acts import METHODS
from scripts.benchmarks.provisioning import as_owner, claim
from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from tenant_apps.invariants.services import watch
from tenant_apps.ledger.models import CreditLineEntry, Hold, StatementLine, Transfer
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets.models import ChargeSale, DepositRequest, SaleState, WalletTransfer
from tenant_apps.wallets.providers.registry import provider_for
from tenant_apps.wallets.providers.simulator import Simulator
from tenant_apps.wallets.services import settle_due
from tenants.context import tenant_context

ABOUT = (
    "64 processes with 10,000 acts each on eight customers, eight credit lines and eight wallets of"
    " one organization: deposits, transfers and sales of wallets, holds taken, captured, released"
    " and expired, credit used and given back, limits changed, payments received, also ten at once,"
    " and refunded by an opposite posting; every tenth act is done a second time under its id. All"
    " of wallets and a share of the rest goes through the services, the others straight to the"
    " ledger's call. In the end nothing is negative or above its limit, nothing happened twice, and"
    " every balance is its log. STORM_OPERATIONS sets how many acts each process does."
)
GOALS = {
    "deadlocks_that_a_caller_saw": Goal(at_most=0),
    "locks_that_were_not_got_in_time": Goal(at_most=0),
    "sentences_that_do_not_hold": Goal(at_most=0),
}
WORKERS, ACTS = 64, int(os.environ.get("STORM_OPERATIONS") or 10_000)
# What an act may be told, beside that it is done.
REFUSALS = {
    "below_floor", "above_credit_limit", "not_enough_credit", "hold_closed", "already_reversed",
    "credit_not_in_use", "deposit_already_decided",
}  # fmt: skip
# The last is no wrong by itself: nothing has moved, and the API answers 409. It is counted apart.
DEADLOCK, LOCK_TIMEOUT = "sqlstate 40P01", "sqlstate 55P03"
# How the simulated provider treats the sales, in hundredths.
PROVIDER = "seed=7&refused=10&lost_requests=5&lost_answers=5&late=5&doubled=5"


def settle() -> None:
    """Let the janitor come by until no sale waits, at ever later times."""
    for hours in range(1, 13):
        with clock.frozen(clock.now() + timedelta(hours=hours)):
            while settle_due(actor=system_actor("storm")):
                pass
        if not ChargeSale.objects.unsettled().exists():
            return


def sentences(outcomes: Outcomes, provider: Simulator) -> list[str]:
    """What does not hold after the storm; nothing, if all is well."""
    wrong = [
        f"{count} x {kind}: {outcome}"
        for (kind, outcome), count in outcomes.items()
        if outcome not in {"done", LOCK_TIMEOUT, *REFUSALS}
    ]
    wrong += [f"the books: {finding}" for finding in verify().findings]
    wrong += [
        f"the watch is red: {name}" for name in watch(actor=system_actor("storm"), sweep=True)
    ]
    wrong += [
        f"{found} {what}, {told} were done"
        for what, found, told in _counts(outcomes, provider)
        if found != told
    ]
    above = CreditLineEntry.objects.filter(
        used_minor__gt=Greatest(F("limit_minor"), F("grandfathered_minor")), used_change__gt=0
    )
    below = StatementLine.objects.filter(account__code__in=("2000", "2400"), balance_minor__lt=0)
    for what, rows in (("above its limit", above), ("below zero", below)):
        if count := rows.count():
            wrong.append(f"{count} times something was {what}")
    return wrong


def _counts(outcomes: Outcomes, provider: Simulator) -> Iterable[tuple[str, int, int]]:
    """What stands and what was told, in pairs: an effect that is missing or doubled shows."""

    def done(kind: str) -> int:
        return outcomes[kind, "done"]

    posted = Transfer.objects.exclude(kind="reversal")
    sold = ChargeSale.objects.filter(state=SaleState.SOLD).count()
    delivered = [charge for charge in provider.charges() if charge["outcome"] == "delivered"]
    yield "holds", Hold.objects.filter(source_type="storm.act").count(), done("reserve") + PLACES
    captured = posted.filter(rule="payment.allocated").count()
    yield "captures", captured, done("capture") + PLACES
    received = posted.filter(rule__startswith="payment.received").count()
    yield "payments", received, done("payment") + PLACES * len(METHODS)
    yield "refunds", Transfer.objects.filter(kind="reversal").count(), done("refund")
    yield "uses", CreditLineEntry.objects.filter(kind="use").count(), done("use")
    yield "returns", CreditLineEntry.objects.filter(kind="return").count(), done("give back")
    yield "limits", CreditLineEntry.objects.filter(kind="limit").count(), done("limit") + PLACES
    yield "transfers", WalletTransfer.objects.count(), done("transfer")
    yield "sales", ChargeSale.objects.count(), done("sale")
    yield "sales without an end", ChargeSale.objects.unsettled().count(), 0
    yield "sales that hold credit", _held("wallets.chargesale"), 0
    yield "charges", len(delivered), sold
    yield "sales paid for", posted.filter(rule="wallet.charged").count(), sold
    approved = DepositRequest.objects.filter(state="approved").count()
    yield "deposits", approved, done("deposit") + PLACES
    raised = posted.filter(rule__startswith="wallet.deposited.").count()
    yield "credits raised", raised, approved


def _held(source_type: str) -> int:
    return Hold.objects.open().filter(source_type=source_type).count()


def deadlocks() -> int:
    """How many the server has ended in this database since it was made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Measure; acts a second, and counts."""
    progress("an organization with customers, credit lines and wallets")
    as_owner("fill", "1")
    organization, _ = claim(0)()
    with tempfile.TemporaryDirectory(prefix="kontor-charges-") as folder:
        settings.CHARGE_PROVIDER_URL = f"simulator://{folder}?{PROVIDER}"
        provider = provider_for(settings.CHARGE_PROVIDER_URL)
        assert isinstance(provider, Simulator)
        with tenant_context(organization):
            ground = prepare()
            progress(f"{WORKERS} processes with {ACTS} acts each")
            storm = play(ground, workers=WORKERS, acts=ACTS, progress=progress)
            progress(f"done in {storm.took:.0f} s; the janitor, and reading everything")
            settle()
            wrong = sentences(storm.outcomes, provider)
            solved = deadlocks()
    for sentence in wrong:
        print(f"  {sentence}")
    return {**_figures(storm, deadlocks=solved), "sentences_that_do_not_hold": len(wrong)}


def _figures(storm: Storm, *, deadlocks: int) -> Mapping[str, Figure]:
    """What the storm did, and what it was told, by kind and code."""
    told = {
        f"{kind.replace(' ', '_')}: {became}": count
        for (kind, became), count in sorted(storm.outcomes.items())
    }
    acts = len(storm.seconds)
    return {
        **told,
        "acts": acts,
        "acts_per_second": acts / storm.took,
        "transactions": sum(storm.outcomes.values()),
        "p50_ms": storm.quantile(0.5) * 1000,
        "p99_ms": storm.quantile(0.99) * 1000,
        "slowest_ms": storm.quantile(1.0) * 1000,
        "deadlocks_that_the_server_ended": deadlocks,
        "transactions_that_were_repeated": storm.repeated,
        "locks_that_were_asked_for_again": storm.waited,
        "deadlocks_that_a_caller_saw": _seen(storm.outcomes, DEADLOCK),
        "locks_that_were_not_got_in_time": _seen(storm.outcomes, LOCK_TIMEOUT),
    }


def _seen(outcomes: Outcomes, what: str) -> int:
    return sum(count for (_, became), count in outcomes.items() if became == what)
