"""Deals move through their stages ..."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.errors import Forbidden, NotFound
from tenant_apps.deals import errors
from tenant_apps.deals.models import FOLLOWING, Deal, Stage, StageChange
from tenant_apps.deals.services import DealWin, StageMove, change_stages, record_deals, win_deals
from tenant_apps.invoices.models import Invoice
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, a_won_deal, kes, new_deal


def move(cast: Cast, deal: Deal, to_stage: str, *, name: str = "olga", **values: Any) -> Deal:
    change_stages(
        actor=cast.actor(name), moves=[StageMove(deal_id=deal.pk, to_stage=to_stage, **values)]
    )
    deal.refresh_from_db()
    return deal


def at_stage(cast: Cast, stage: str) -> Deal:
    deal = a_deal(cast, client_id=a_client(cast).pk)
    return deal if stage == Stage.PROSPECTING else move(cast, deal, stage)


def test_leaves_a_row_for_each_move(cast: Cast) -> None:
    deal = move(cast, a_deal(cast), "engaging", occurred_on=date(2026, 1, 5), comment="They called")
    move(cast, deal, "lost", occurred_on=date(2026, 2, 7))

    rows = StageChange.objects.filter(deal=deal).order_by("id")
    assert [(r.from_stage, r.to_stage) for r in rows] == [
        ("", "prospecting"),
        ("prospecting", "engaging"),
        ("engaging", "lost"),
    ]
    assert rows[1].comment == "They called"
    assert (deal.engaged_on, deal.closed_on) == (date(2026, 1, 5), date(2026, 2, 7))
    assert deal.version == 3


def test_keeps_the_field_history_of_bulk_changes(cast: Cast) -> None:
    deal = move(cast, a_deal(cast), "engaging")

    entry = LogEntry.objects.filter(object_pk=str(deal.pk)).latest("id")
    assert entry.changes["stage"] == ["prospecting", "engaging"]
    assert entry.actor_id == cast.user("olga").pk


@pytest.mark.parametrize("before", list(Stage))
@pytest.mark.parametrize("after", list(Stage))
def test_reaches_only_what_follows(cast: Cast, before: str, after: str) -> None:
    deal = at_stage(cast, before)

    if after in FOLLOWING[before]:
        assert move(cast, deal, after).stage == after
        return
    with pytest.raises(errors.StageNotReachable):
        move(cast, deal, after)
    kept = Deal.objects.get(pk=deal.pk)
    assert (kept.stage, kept.version) == (before, deal.version)


def test_opening_a_lost_deal_takes_its_closing_day_away(cast: Cast) -> None:
    deal = move(cast, at_stage(cast, "lost"), "engaging")

    assert (deal.stage, deal.closed_on) == ("engaging", None)


def test_a_day_is_counted_in_the_organizations_time_zone(cast: Cast) -> None:
    # 22:30 UTC is half past one of the next day in Nairobi.
    with clock.frozen(datetime(2026, 3, 1, 22, 30, tzinfo=UTC)):
        assert move(cast, a_deal(cast), "engaging").engaged_on == date(2026, 3, 2)
        with pytest.raises(errors.StageDateInFuture):
            move(cast, a_deal(cast), "engaging", occurred_on=date(2026, 3, 3))


def test_refuses_to_close_before_it_was_engaged(cast: Cast) -> None:
    deal = move(cast, a_deal(cast), "engaging", occurred_on=date(2026, 5, 5))

    with pytest.raises(errors.ClosedBeforeEngaged):
        move(cast, deal, "lost", occurred_on=date(2026, 5, 4))

    deal.refresh_from_db()
    assert (deal.stage, deal.version) == ("engaging", 2)


def test_wins_with_the_last_value_and_client(cast: Cast) -> None:
    client = a_client(cast)
    deal = a_deal(cast, value=kes("0.00"))

    won = win_deals(
        actor=cast.actor("olga"),
        wins=[
            DealWin(
                deal_id=deal.pk,
                closed_on=date(2026, 6, 1),
                value=kes("4514.00"),
                client_id=client.pk,
            )
        ],
    )[0]

    won.refresh_from_db()
    assert (won.stage, won.value, won.client_id) == ("won", kes("4514.00"), client.pk)
    assert won.closed_on == date(2026, 6, 1)
    entry = AuditEntry.objects.get(event_name="deals.deal_won")
    assert (entry.payload["value_minor"], entry.payload["closed_on"]) == (451400, "2026-06-01")


@pytest.mark.parametrize(
    ("deal_values", "win_values", "error"),
    [
        ({}, {}, errors.DealHasNoClient),
        ({"value": kes("0.00")}, {"client": True}, errors.DealHasNoValue),
        ({}, {"client": True, "value": kes("0.00")}, errors.DealHasNoValue),
        ({}, {"client": True, "value": kes("-5.00")}, errors.NegativeValue),
        ({}, {"client_id": uuid4()}, errors.UnknownClient),
        ({}, {"client": True, "closed_on": date(2126, 1, 1)}, errors.StageDateInFuture),
    ],
)
def test_refuses_to_win_without_what_an_invoice_needs(
    cast: Cast, deal_values: dict[str, Any], win_values: dict[str, Any], error: type[Exception]
) -> None:
    deal = a_deal(cast, **deal_values)
    client = a_client(cast)
    if win_values.pop("client", False):
        win_values = {**win_values, "client_id": client.pk}

    with pytest.raises(error):
        win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk, **win_values)])

    deal.refresh_from_db()
    assert (deal.stage, deal.client_id, deal.version) == ("prospecting", None, 1)
    assert not Invoice.objects.exists()


def test_refuses_to_win_in_another_currency(cast: Cast) -> None:
    from shared_apps.kernel.money import Money

    deal = a_deal(cast, client_id=a_client(cast).pk)

    with pytest.raises(errors.CurrencyIsFixed):
        win_deals(
            actor=cast.actor("olga"),
            wins=[DealWin(deal_id=deal.pk, value=Money.parse("10.00", "USD"))],
        )

    deal.refresh_from_db()
    assert (deal.stage, deal.currency) == ("prospecting", "KES")


def test_a_value_comes_only_with_winning(cast: Cast) -> None:
    deal = a_deal(cast)

    with pytest.raises(errors.ValueOnlyWhenWon):
        move(cast, deal, "lost", value=kes("1.00"))

    deal.refresh_from_db()
    assert deal.stage == "prospecting"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("paul", NotFound),
        ("oscar", NotFound),
        ("vera", Forbidden),
        ("ada", Forbidden),
    ],
)
def test_strangers_do_not_find_it_and_watchers_may_not(
    cast: Cast, name: str, error: type[Exception]
) -> None:
    deal = a_deal(cast, client_id=a_client(cast).pk)

    with pytest.raises(error):
        win_deals(actor=cast.actor(name), wins=[DealWin(deal_id=deal.pk)])

    deal.refresh_from_db()
    assert (deal.stage, deal.version) == ("prospecting", 1)


@pytest.mark.parametrize("name", ["lea", "sam"])
def test_leads_and_supervisors_may(cast: Cast, name: str) -> None:
    deal = a_deal(cast, client_id=a_client(cast).pk)

    win_deals(actor=cast.actor(name), wins=[DealWin(deal_id=deal.pk)])

    assert Invoice.objects.get(deal=deal).owner_id == cast.user("olga").pk


def test_one_foreign_deal_refuses_the_batch(cast: Cast) -> None:
    client = a_client(cast)
    own = a_deal(cast, client_id=client.pk)
    foreign = a_deal(cast, owner="oscar", client_id=client.pk)

    with pytest.raises(NotFound):
        win_deals(
            actor=cast.actor("olga"),
            wins=[DealWin(deal_id=own.pk), DealWin(deal_id=foreign.pk)],
        )

    assert Deal.objects.won().count() == 0


def test_refuses_a_deal_that_stands_twice(cast: Cast) -> None:
    deal = a_deal(cast, client_id=a_client(cast).pk)

    with pytest.raises(errors.DealRepeated):
        win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk)] * 2)

    assert not Deal.objects.won().exists()


def test_a_won_deal_stays_won(cast: Cast) -> None:
    deal = a_won_deal(cast)

    with pytest.raises(errors.StageNotReachable):
        move(cast, deal, "lost")
    with pytest.raises(errors.StageNotReachable):
        win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk)])

    assert Invoice.objects.filter(deal=deal).count() == 1


def test_winning_costs_the_same_statements_for_one_and_for_fifty(cast: Cast) -> None:
    client = a_client(cast)
    counts = []
    for size in (1, 50):
        deals = record_deals(
            actor=cast.system, deals=[new_deal(cast, client_id=client.pk) for _ in range(size)]
        )
        with CaptureQueriesContext(connection) as captured:
            win_deals(actor=cast.system, wins=[DealWin(deal_id=deal.pk) for deal in deals])
        counts.append(len(captured))

    # A single deal is checked by the rule itself, a batch by one query; nothing else differs.
    assert counts[1] - counts[0] <= 1


def test_the_database_refuses_a_won_deal_without_a_client(cast: Cast) -> None:
    deal = a_deal(cast)

    with pytest.raises(IntegrityError), transaction.atomic():
        Deal.objects.filter(pk=deal.pk).update(stage="won", closed_on=date(2026, 1, 1))


def test_stage_rows_cannot_be_changed(cast: Cast) -> None:
    from django.db import ProgrammingError

    a_deal(cast)

    with pytest.raises(ProgrammingError), transaction.atomic():
        StageChange.objects.update(comment="rewritten")
