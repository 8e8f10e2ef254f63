"""What the ledger tells the lower floors at start-up."""

from collections.abc import Collection, Iterable
from uuid import UUID

from shared_apps.accounts.models import User
from shared_apps.audit.history import track
from shared_apps.kernel.actor import Actor
from shared_apps.seals import chains
from tenants.models import Organization
from tenants.provisioning import register_seed, register_spare_seed

from . import chart, subledgers
from .invariants import register_invariants
from .models import Account, FiscalPeriod, PostingRule, PostingRuleLine
from .sealing import JOURNAL_METADATA, TRANSFERS
from .services.chart import seed_chart
from .services.periods import seed_periods

_SEED_ORDER = 300


def _seed_chart(*, actor: Actor) -> None:
    seed_chart(actor=actor)


def _chart_version() -> str:
    return repr((chart.CHART, chart.RULES))


def _seed_periods(organization: Organization, *, actor: Actor) -> None:
    seed_periods(organization=organization, actor=actor)


def _known_users(ids: Collection[UUID]) -> Iterable[UUID]:
    return set(User.objects.filter(id__in=ids).values_list("id", flat=True))


def register() -> None:
    """Register the seed, the sub-ledger of users, the seals of transfers, and the histories of the
    cold tables."""
    register_spare_seed(
        _SEED_ORDER, "ledger.chart", _seed_chart, version=_chart_version, renewed=True
    )
    register_seed(_SEED_ORDER, "ledger.periods", _seed_periods)
    subledgers.register("user", _known_users)
    chains.register(TRANSFERS)
    chains.register(JOURNAL_METADATA)
    register_invariants()
    for model in (Account, PostingRule, PostingRuleLine, FiscalPeriod):
        track(model)
