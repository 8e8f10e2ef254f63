"""Deciding on a client's credit ..."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.errors import BadInput, Forbidden, NotFound
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.money import Money
from tenant_apps.ledger.models import CreditLine, CreditLineEntry
from tenant_apps.ledger.verification import verify
from tenant_apps.limits import errors
from tenant_apps.limits.models import CreditLimit
from tenant_apps.limits.selectors import credit_positions_visible_to
from tenant_apps.limits.services import apply_due_limits, set_limit
from tests.cast import Cast
from tests.deals.stories import a_client, a_won_deal, kes
from tests.limits.stories import a_limit, a_limited_client, line_of, tomorrow, used, win
from tests.payments.stories import a_verified_payment


def test_begins_to_count_with_what_is_outstanding(cast: Cast) -> None:
    client = a_client(cast)
    deal = a_won_deal(cast, client_id=client.pk, value=kes("900.00"))
    a_verified_payment(cast, deal, kes("200.00"))

    limit = a_limit(cast, client, "1000.00")

    assert used(client) == kes("700.00")
    assert (limit.state, limit.effective_on) == ("in_force", clock.today("Africa/Nairobi"))
    (position,) = credit_positions_visible_to(cast.actor("olga"), client_id=client.pk)
    assert (position.limit, position.used, position.available) == (
        kes("1000.00"), kes("700.00"), kes("300.00"),
    )  # fmt: skip
    opening = CreditLineEntry.objects.get(kind="use")
    assert opening.reason == "What was outstanding when it was first counted."
    assert AuditEntry.objects.filter(event_name="limits.credit_limit_set").count() == 1
    assert verify().books_hold


def test_a_client_is_not_counted_before_its_first_limit(cast: Cast) -> None:
    client = a_client(cast)
    win(cast, client, "900.00")

    assert not CreditLine.objects.exists()
    assert credit_positions_visible_to(cast.actor("olga"), client_id=client.pk) == []


def test_a_later_decision_replaces_the_one_in_force(cast: Cast) -> None:
    client = a_client(cast)
    first, second = a_limit(cast, client, "1000.00"), a_limit(cast, client, "500.00", "warn")

    first.refresh_from_db()
    assert (first.state, second.state) == ("replaced", "in_force")
    assert first.replaced_at is not None
    assert line_of(client).limit == kes("500.00")
    assert used(client) == kes("0.00")


def test_may_stand_below_what_is_owed(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00")
    win(cast, client, "900.00")

    a_limit(cast, client, "500.00")

    (position,) = credit_positions_visible_to(cast.actor("olga"), client_id=client.pk)
    assert (position.used, position.available) == (kes("900.00"), kes("-400.00"))
    with pytest.raises(errors.CreditLimitExceeded), transaction.atomic():
        win(cast, client, "0.01")


def test_is_taken_away_and_goes_on_counting(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    a_limit(cast, client, None)

    win(cast, client, "900.00")

    assert used(client) == kes("900.00")
    (position,) = credit_positions_visible_to(cast.actor("olga"), client_id=client.pk)
    assert (position.limit, position.mode, position.available) == (None, "", None)


def test_each_currency_has_a_limit_of_its_own(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    win_in_dollars = a_won_deal(cast, client_id=client.pk, value=Money.parse("5000.00", "USD"))

    assert win_in_dollars.stage == "won"
    assert used(client) == kes("0.00")


def test_takes_effect_on_its_day(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00")
    coming = a_limit(cast, client, "10.00", effective_on=tomorrow())

    assert (coming.state, line_of(client).limit) == ("scheduled", kes("1000.00"))
    with clock.frozen(clock.now() + timedelta(days=1)):
        assert apply_due_limits(actor=cast.system) == 1
        assert apply_due_limits(actor=cast.system) == 0
    coming.refresh_from_db()
    assert (coming.state, line_of(client).limit) == ("in_force", kes("10.00"))
    assert used(client) == kes("0.00")


def test_an_invoice_does_not_wait_for_the_clocks_task(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00")
    a_limit(cast, client, "10.00", effective_on=tomorrow())

    with clock.frozen(clock.now() + timedelta(days=1)):
        with pytest.raises(errors.CreditLimitExceeded), transaction.atomic():
            win(cast, client, "10.01")
        win(cast, client, "10.00")
    assert used(client) == kes("10.00")


def test_a_day_to_come_is_decided_anew_and_the_first_one_forgotten(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00")
    first = a_limit(cast, client, "10.00", effective_on=tomorrow(1))
    a_limit(cast, client, "20.00", effective_on=tomorrow(2))
    first.refresh_from_db()

    assert (first.state, first.in_force_at) == ("replaced", None)
    with clock.frozen(clock.now() + timedelta(days=3)):
        apply_due_limits(actor=cast.system)
    assert line_of(client).limit == kes("20.00")


def test_counts_from_the_decision_even_where_it_takes_effect_later(cast: Cast) -> None:
    client = a_client(cast)
    a_limit(cast, client, "10.00", effective_on=tomorrow())

    win(cast, client, "900.00")

    assert used(client) == kes("900.00")


@pytest.mark.parametrize("who", ["olga", "lea", "vera"])
def test_is_for_those_who_may(cast: Cast, who: str) -> None:
    client = a_client(cast)
    with pytest.raises(Forbidden):
        set_limit(
            actor=cast.actor(who), client_id=client.pk, currency="KES", amount=kes("1.00"),
            mode="warn", reason="Mine.",
        )  # fmt: skip
    assert not CreditLimit.objects.exists()
    assert not CreditLine.objects.exists()


def test_refuses_what_is_no_limit(cast: Cast) -> None:
    client = a_client(cast)
    good: dict[str, Any] = {
        "actor": cast.actor("ada"), "client_id": client.pk, "currency": "KES",
        "amount": kes("1.00"), "mode": "warn", "reason": "Because.",
    }  # fmt: skip
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (BadInput, {"amount": Money.parse("1.00", "USD")}),
        (BadInput, {"amount": kes("-0.01")}),
        (BadInput, {"amount": Money(10**15 + 1, "KES")}),
        (errors.LimitDayPassed, {"effective_on": tomorrow(-1)}),
        (NotFound, {"client_id": uuid7()}),
    ]
    for refusal, values in wrong:
        with pytest.raises(refusal), transaction.atomic():
            set_limit(**{**good, **values})
    assert not CreditLimit.objects.exists()
    assert not CreditLine.objects.exists()
