"""The past of accounts that are credited later is that of any other account."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenant_apps.ledger.entries import Posting, Reversal
from tenant_apps.ledger.history import sizes
from tenant_apps.ledger.history.balances import balances_at
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.history.statements import Statement
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import fold_waiting, post, reverse
from tests.ledger.later import account_of, counted, defer, hold, later, sale

__all__ = ["later"]


class TestTwoTimes:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sizes, "DEEP", 10)
        monkeypatch.setattr(sizes, "BLOCK", 4)
        monkeypatch.setattr(sizes, "SEGMENT", 7)

    def test_a_settlement_counts_what_it_sees(self, later: Any, actor: Actor) -> None:
        with clock.frozen(datetime(2026, 11, 4, 9, tzinfo=UTC)):
            post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
            settled = settle()
        assert settled is not None
        assert settled.transfers == 1
        assert counted("4000") == (1, 100)
        hold()

    def test_the_past_is_that_of_an_account_that_is_counted_at_once(
        self, later: Any, actor: Actor
    ) -> None:
        """Two lines get the same credits, one of them later; at all times both hold the same."""
        defer(actor, "2100", deferred=False)
        dice = random.Random(11)
        moment = datetime(2026, 5, 4, 9, tzinfo=UTC)
        horizons: list[datetime] = []
        told: dict[tuple[datetime, date | None], int] = {}
        sold: list[Posting] = []
        for number in range(60):
            moment += timedelta(hours=dice.randint(1, 12))
            with clock.frozen(moment):
                day = moment.date() + timedelta(days=dice.choice([0, 0, -1, -9, 4]))
                amount = f"{dice.randint(1, 50)}.00"
                batch = [sale(net=amount, tax=amount, day=day) for _ in range(dice.randint(1, 2))]
                post(postings=batch, actor=actor)
                sold += batch
                if dice.random() < 0.2:
                    undone = sold.pop(dice.randrange(len(sold)))
                    back = Reversal(
                        source_type=undone.source_type,
                        source_id=undone.source_id,
                        effective_on=max(day, undone.effective_on),
                    )
                    reverse(reversals=[back], actor=actor)
                if dice.random() < 0.3:
                    fold_waiting()
                if number % 4 == 0:
                    assert settle() is not None
                    horizons.append(moment)
                for as_of in (None, day, day - timedelta(days=3)):
                    assert self.agree(known_at=None, as_of=as_of)
                for at in horizons[-3:]:
                    for as_of in (None, at.date(), at.date() - timedelta(days=5)):
                        held = self.agree(known_at=at, as_of=as_of)
                        assert told.setdefault((at, as_of), held[0]) == held[0]
        hold()
        fold_waiting()
        settle()
        hold()
        for known_at in (None, horizons[5], horizons[-1]):
            with clock.frozen(moment):
                pages = [self.lines(code, known_at) for code in ("4000", "2100")]
            assert pages[0] == pages[1]

    def agree(self, *, known_at: datetime | None, as_of: date | None) -> tuple[int, int]:
        accounts = [account_of(code) for code in ("4000", "2100")]
        when = {"known_at": known_at, "as_of": as_of}
        held = balances_at(account_ids=accounts, **when)
        first, second = (held.get(account, 0) for account in accounts)
        assert first == second
        books = trial_balance(**when)
        rows = {row.code: row.credit.minor - row.debit.minor for row in books.rows}
        assert (rows.get("4000", 0), rows.get("2100", 0)) == (first, second)
        assert all(total.difference.is_zero for total in books.totals)
        return first, second

    def lines(self, code: str, known_at: datetime | None) -> list[tuple[date, int]]:
        statement = Statement(
            account_id=account_of(code),
            currency="KES",
            known_at=known_at,
            last_day=date(2026, 12, 31),
        )
        found, place = [], None
        while True:
            page = statement.page(size=7, place=place)
            found += [(line.effective_on, line.amount_minor) for line in page.lines]
            if page.older is None:
                break
            place = page.older
        assert sum(amount for _, amount in found) > 0
        # Within a day, lines go by version, which the other account has in another order.
        return sorted(found)
