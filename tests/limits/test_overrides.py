"""An override of a credit limit ..."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.errors import BadInput, Forbidden
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.money import Money
from tenant_apps.approvals.errors import ContentChanged, MakerCannotSign
from tenant_apps.approvals.models import Approval
from tenant_apps.approvals.services import recall, reject
from tenant_apps.ledger.models import CreditLineEntry
from tenant_apps.limits import errors
from tenant_apps.limits.models import LimitOverride, Overrun
from tenant_apps.limits.services import request_override
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, kes
from tests.limits.stories import (
    a_limit,
    a_limited_client,
    an_override,
    approval_of,
    approve,
    tomorrow,
    used,
    win,
)


def refused(cast: Cast, client: Any, amount: str) -> None:
    before = (Overrun.objects.count(), used(client))
    with pytest.raises(errors.CreditLimitExceeded), transaction.atomic():
        win(cast, client, amount)
    assert (Overrun.objects.count(), used(client)) == before


def test_lets_one_invoice_pass_once(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    override = an_override(cast, client, "50.00")

    deal = win(cast, client, "150.00")

    override.refresh_from_db()
    overrun = Overrun.objects.get()
    invoice = deal.invoices.get()
    assert (override.state, override.used_by_source_id) == ("used", invoice.pk)
    assert (overrun.cause, overrun.override_id, overrun.source_id) == (
        "overridden", override.pk, invoice.pk,
    )  # fmt: skip
    entry = CreditLineEntry.objects.of_source(invoice.pk).get()
    assert (entry.kind, entry.reason) == ("override", "A big order before the holidays.")
    told = set(AuditEntry.objects.values_list("event_name", flat=True))
    assert {
        "limits.limit_override_requested", "limits.limit_override_approved",
        "limits.limit_override_used", "limits.credit_limit_passed",
    } <= told  # fmt: skip
    assert used(client) == kes("150.00")
    refused(cast, client, "0.01")


def test_is_not_used_by_an_invoice_that_needs_none(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    override = an_override(cast, client, "50.00")

    win(cast, client, "100.00")

    override.refresh_from_db()
    assert override.state == "approved"
    win(cast, client, "50.00")
    assert used(client) == kes("150.00")


def test_allows_as_much_as_it_says(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    an_override(cast, client, "50.00")
    refused(cast, client, "150.01")


def test_that_nobody_approved_allows_nothing(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    an_override(cast, client, "50.00", approved=False)
    refused(cast, client, "150.00")


def test_allows_nothing_after_its_last_day(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    an_override(cast, client, "50.00", valid_until=tomorrow(0))
    with clock.frozen(clock.now() + timedelta(days=1)):
        refused(cast, client, "150.00")


def test_of_another_client_or_currency_allows_nothing(cast: Cast) -> None:
    client, other = a_limited_client(cast, "100.00"), a_limited_client(cast, "100.00")
    an_override(cast, other, "50.00")
    refused(cast, client, "150.00")


def test_of_a_deal_is_for_that_deal(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    deal = a_deal(cast, client_id=client.pk, value=kes("150.00"))
    general = an_override(cast, client, "50.00", valid_until=tomorrow(0))
    own = an_override(cast, client, "50.00", deal_id=deal.pk)

    win(cast, client, "", deal=deal)

    own.refresh_from_db()
    general.refresh_from_db()
    assert (own.state, general.state) == ("used", "approved")


def test_of_another_deal_allows_nothing(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    other = a_deal(cast, client_id=client.pk, value=kes("150.00"))
    an_override(cast, client, "50.00", deal_id=other.pk)
    refused(cast, client, "150.00")


def test_is_never_approved_by_its_maker(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    override = request_override(
        actor=cast.actor("sam"), client_id=client.pk, amount=kes("50.00"),
        valid_until=tomorrow(), reason="I know them.",
    )  # fmt: skip
    with pytest.raises(MakerCannotSign), transaction.atomic():
        approve(cast, override, by="sam")
    override.refresh_from_db()
    assert override.state == "requested"
    approve(cast, override, by="ada")
    override.refresh_from_db()
    assert (override.state, override.decided_by_id) == ("approved", cast.user("ada").pk)


@pytest.mark.parametrize("who", ["vera"])
def test_is_approved_by_those_who_may(cast: Cast, who: str) -> None:
    override = an_override(cast, a_limited_client(cast, "100.00"), "50.00", approved=False)
    with pytest.raises(Forbidden), transaction.atomic():
        approve(cast, override, by=who)
    override.refresh_from_db()
    assert override.state == "requested"


def test_is_signed_as_it_was_asked_for(cast: Cast) -> None:
    override = an_override(cast, a_limited_client(cast, "100.00"), "50.00", approved=False)
    LimitOverride.objects.filter(pk=override.pk).update(amount_minor=500000)
    with pytest.raises(ContentChanged) as changed, transaction.atomic():
        approve(cast, override)
    assert changed.value.extra == {"fields": ["amount"]}


def test_is_declined_or_taken_back(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    declined, recalled = (an_override(cast, client, "50.00", approved=False) for _ in range(2))

    reject(approval_id=approval_of(declined), actor=cast.actor("sam"), remark="No.")
    recall(approval_id=approval_of(recalled), actor=cast.actor("olga"))

    declined.refresh_from_db()
    recalled.refresh_from_db()
    assert (declined.state, recalled.state) == ("declined", "recalled")
    refused(cast, client, "150.00")


def test_is_not_approved_after_its_last_day(cast: Cast) -> None:
    override = an_override(
        cast, a_limited_client(cast, "100.00"), "50.00", approved=False, valid_until=tomorrow(0)
    )
    with (
        clock.frozen(clock.now() + timedelta(days=1)),
        pytest.raises(errors.OverrideExpired),
        transaction.atomic(),
    ):
        approve(cast, override)
    override.refresh_from_db()
    assert override.state == "requested"


def test_refuses_what_cannot_be_asked_for(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    elsewhere = a_deal(cast, owner="oscar")
    without, taken_away = a_client(cast), a_limited_client(cast, "1.00")
    a_limit(cast, taken_away, None)
    good: dict[str, Any] = {
        "actor": cast.actor("olga"), "client_id": client.pk, "amount": kes("1.00"),
        "valid_until": tomorrow(), "reason": "Because.",
    }  # fmt: skip
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (BadInput, {"client_id": uuid7()}),
        (BadInput, {"deal_id": uuid7()}),
        (BadInput, {"deal_id": elsewhere.pk}),
        (errors.NoLimitToOverride, {"client_id": without.pk}),
        (errors.NoLimitToOverride, {"client_id": taken_away.pk}),
        (errors.NoLimitToOverride, {"amount": Money.parse("1.00", "USD")}),
        (errors.OverrideExpired, {"valid_until": tomorrow(-1)}),
        (Forbidden, {"actor": cast.actor("vera")}),
    ]
    for refusal, values in wrong:
        with pytest.raises(refusal), transaction.atomic():
            request_override(**{**good, **values})
    assert not LimitOverride.objects.exists()
    assert not Approval.objects.exists()
