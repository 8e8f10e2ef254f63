"""The provider's file beside our sales."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest

from shared_apps.kernel import clock
from shared_apps.kernel.errors import BadInput, Forbidden
from tenant_apps.wallets import errors, services
from tenant_apps.wallets.models import ChargeSale, ProviderReconciliation
from tenant_apps.wallets.providers import ChargeAnswer, Outcome
from tenant_apps.wallets.services import reconciling
from tests.snapshots import changed, snapshot
from tests.wallets.stories import PHONE, Market, a_sale, credit, sell

HEAD = "time,reference,phone,amount,status,fee\n"


def row(sale: ChargeSale, **values: str) -> str:
    told = {
        "time": clock.now().isoformat(),
        "reference": str(sale.charge_reference),
        "phone": sale.phone,
        "amount": sale.amount.to_string(),
        "status": "delivered",
        **values,
    }
    return ",".join([*told.values(), "0.10"]) + "\n"


def reconcile(
    market: Market, content: str, *, by: str = "wanda", start: datetime | None = None
) -> ProviderReconciliation:
    now = clock.now()
    return services.reconcile_provider_file(
        actor=market.actor(by),
        file=BytesIO(content.encode()),
        file_name="march.csv",
        currency="KES",
        starts_at=start or now - timedelta(days=1),
        ends_at=(start or now) + timedelta(days=1),
    )


def results(run: ProviderReconciliation) -> list[tuple[int | None, str]]:
    return list(run.rows.order_by("line", "id").values_list("line", "result"))


def test_each_row_has_its_result(market: Market, simulated: Any) -> None:
    credit(market, "100.00")
    simulated()
    good, larger, gone = (sell(market, "10.00") for _ in range(3))
    simulated(refused=100)
    refused, said_sold = (sell(market, "10.00") for _ in range(2))
    stranger = ChargeSale(charge_reference=uuid4(), phone=PHONE, amount_minor=500, currency="KES")
    content = HEAD + "".join(
        [
            row(good),
            row(larger, amount="10.01"),
            row(refused, status="refused"),
            row(said_sold),
            row(stranger),
            row(good, amount="ten"),
            row(good, status="perhaps"),
            row(good, time="yesterday"),
        ]
    )
    before = ChargeSale.objects.filter(state="sold").count()
    run = reconcile(market, content)
    assert results(run) == [
        (2, "matched"),
        (3, "amount_differs"),
        (4, "matched"),
        (5, "status_differs"),
        (6, "missing_here"),
        (7, "unreadable"),
        (8, "unreadable"),
        (9, "unreadable"),
        (None, "missing_there"),
    ]
    assert run.rows.get(result="missing_there").sale_id == gone.pk
    assert ChargeSale.objects.filter(state="sold").count() == before


def test_the_same_file_again_is_the_same_comparison(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    content, start = HEAD + row(sell(market)), clock.now() - timedelta(hours=1)
    first = reconcile(market, content, start=start)
    before = snapshot()
    assert reconcile(market, content, start=start).pk == first.pk
    assert changed(before) == []


def test_unsettled_sales_are_missing_there_and_others_are_not_asked_for(
    market: Market, simulated: Any
) -> None:
    credit(market, "100.00")
    simulated(lost_answers=100)
    unknown = sell(market, "10.00")
    simulated()
    a_sale(market, "10.00")
    run = reconcile(market, HEAD)
    assert [found.sale_id for found in run.rows.all()] == [unknown.pk]
    long_ago = reconcile(market, HEAD, start=clock.now() - timedelta(days=30))
    assert results(long_ago) == []


def test_refuses_strangers_and_what_is_no_table(market: Market) -> None:
    before = snapshot()
    with pytest.raises(Forbidden):
        reconcile(market, HEAD, by="sita")
    with pytest.raises(errors.FileUnreadable):
        reconcile(market, "reference,phone\n")
    now = clock.now()
    with pytest.raises(BadInput):
        services.reconcile_provider_file(
            actor=market.actor("wanda"),
            file=BytesIO(HEAD.encode()),
            file_name="x.csv",
            currency="KES",
            starts_at=now,
            ends_at=now,
        )
    assert changed(before) == []


@pytest.mark.parametrize("portion", [1, 1000])
def test_a_sale_that_is_billed_twice_is_found(
    market: Market, simulated: Any, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    monkeypatch.setattr(reconciling, "_ROWS_AT_ONCE", portion)
    credit(market, "100.00")
    simulated()
    sale, other = sell(market, "10.00"), sell(market, "10.00")
    content = HEAD + row(sale, amount="ten") + row(sale) + row(other) + row(sale) + row(sale)
    run = reconcile(market, content)
    assert results(run) == [
        (2, "unreadable"),
        (3, "matched"),
        (4, "matched"),
        (5, "repeated"),
        (6, "repeated"),
    ]
    told = run.rows.get(line=5)
    words = f"An earlier line is about {sale.reference} too."
    assert (told.sale_id, told.detail) == (sale.pk, words)
    shown = market.api("wanda").get(f"charge-reconciliations/{run.pk}/").json()
    assert (shown["matched"], shown["repeated"]) == (2, 2)


def test_what_the_provider_reversed_matches_a_refund(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    kept, back = sell(market, "10.00"), sell(market, "20.00")
    answer = ChargeAnswer(outcome=Outcome.REVERSED)
    services.settle_sale(sale_id=back.pk, answer=answer, actor=market.system)
    content = HEAD + row(kept, status="reversed") + row(back, status="reversed")
    compared = reconcile(market, content)
    found = dict(compared.rows.values_list("sale__reference", "result"))
    assert found == {kept.reference: "status_differs", back.reference: "matched"}


def test_a_refund_by_our_own_word_is_still_billed(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    sale = sell(market, "10.00")
    refund = services.request_charge_refund(
        actor=market.actor("wanda"), sale_id=sale.pk, reason="Wrong number."
    )
    services.approve_charge_refund(actor=market.actor("wim"), refund_id=refund.pk)
    compared = reconcile(market, HEAD + row(sale))
    assert [each.result for each in compared.rows.all()] == ["matched"]
