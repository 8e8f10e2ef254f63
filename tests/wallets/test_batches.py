"""Sales from a file: a report for each row, each row a sale of its own."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from shared_apps.access.actors import actor_for_user
from shared_apps.accounts.models import ApiKey
from shared_apps.kernel import clock
from shared_apps.kernel.errors import Forbidden
from tenant_apps.wallets import errors, services
from tenant_apps.wallets.models import ChargeBatch, ChargeBatchRow, ChargeSale
from tests.people import client_of
from tests.snapshots import changed, snapshot
from tests.wallets.stories import Market, credit

FILE = b"""Amount,Phone,Comment
10.00,0712345678,first
10.00,0712345678,the same again
abc,0712345678,
10.00,12,
-5.00,0733123456,
10.0,0733123456,

1000.00,0733123456,too much
5.00,+254733123456,
"""


def upload(market: Market, content: bytes = FILE, *, by: str = "sita") -> ChargeBatch:
    return services.upload_charge_batch(
        actor=market.actor(by), wallet_id=market.wallets["sita"].pk, file=BytesIO(content)
    )


def work(market: Market, batch: ChargeBatch, *, limit: int = 200) -> bool:
    return services.work_on_batch(batch_id=batch.pk, actor=market.system, limit=limit)


def report(batch: ChargeBatch) -> list[tuple[int, str, str, str]]:
    return [
        (row.line, row.state, row.code, row.sale.state if row.sale else "")
        for row in batch.rows.select_related("sale").order_by("line")
    ]


def test_reports_each_row(market: Market, simulated: Any) -> None:
    provider = simulated()
    credit(market, "100.00")
    batch = upload(market)
    assert not work(market, batch)
    assert report(batch) == [
        (2, "placed", "", "sold"),
        (3, "placed", "", "sold"),
        (4, "refused", "invalid_amount", ""),
        (5, "refused", "phone_number_invalid", ""),
        (6, "refused", "invalid_input", ""),
        (7, "refused", "invalid_amount", ""),
        (9, "refused", "not_enough_credit", ""),
        (10, "placed", "", "sold"),
    ]
    batch.refresh_from_db()
    assert batch.state == "done"
    assert market.balance("sita") == "75.00"
    assert len(provider.charges()) == 3


SALES = ("wallets.view_wallet", "wallets.add_chargebatch", "wallets.add_chargesale")


def a_key(market: Market, *permissions: str) -> ApiKey:
    made: ApiKey = ApiKey.objects.create(
        user=market.people["sita"],
        name="Till",
        prefix="till00000000",
        secret_hash="0" * 64,
        permissions=list(permissions),
        expires_at=clock.now() + timedelta(days=1),
    )
    return made


def upload_by_key(market: Market, key: ApiKey) -> ChargeBatch:
    return services.upload_charge_batch(
        actor=actor_for_user(user_id=key.user_id, api_key_id=key.pk),
        wallet_id=market.wallets["sita"].pk,
        file=BytesIO(FILE),
    )


def test_a_key_that_may_not_sell_sells_by_no_batch(market: Market, simulated: Any) -> None:
    key = a_key(market, "wallets.view_wallet", "wallets.add_chargebatch")
    before = snapshot()
    with pytest.raises(Forbidden):
        upload_by_key(market, key)
    assert changed(before) == []


def test_a_key_that_was_revoked_sells_no_further(market: Market, simulated: Any) -> None:
    provider = simulated()
    credit(market, "100.00")
    key = a_key(market, *SALES)
    batch = upload_by_key(market, key)
    assert batch.api_key_id == key.pk
    assert work(market, batch, limit=1)
    ApiKey.objects.update(revoked_at=clock.now())
    while work(market, batch):
        pass
    assert len(provider.charges()) == 1
    # Of the lines 3, 9 and 10 it does not see the wallet any more; the others were never good.
    assert [line for line, state, *_ in report(batch) if state == "refused"] == [
        3, 4, 5, 6, 7, 9, 10,
    ]  # fmt: skip
    assert not batch.rows.filter(state="waiting").exists()
    assert market.balance("sita") == "90.00"


def test_where_no_row_moves_no_more_work_is_called_for(
    market: Market, simulated: Any, settings: Any
) -> None:
    settings.CHARGE_PROVIDER_URL = ""
    credit(market, "100.00")
    batch = upload(market)
    while work(market, batch):
        pass
    assert batch.rows.filter(state="waiting").exists()


def test_work_that_begins_anew_sells_nothing_twice(market: Market, simulated: Any) -> None:
    provider = simulated()
    credit(market, "100.00")
    batch = upload(market)
    while work(market, batch, limit=1):
        pass
    before = snapshot()
    work(market, batch)
    assert changed(before) == []
    assert len(provider.charges()) == 3


def test_waits_while_there_is_no_provider(market: Market, simulated: Any, settings: Any) -> None:
    settings.CHARGE_PROVIDER_URL = ""
    credit(market, "100.00")
    batch = upload(market)
    assert work(market, batch)
    waiting = ChargeBatchRow.objects.filter(state="waiting").count()
    simulated()
    work(market, batch)
    assert (waiting, ChargeBatch.objects.get().state) == (6, "done")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", errors.FileUnreadable),
        (b"phone\n0712345678\n", errors.FileUnreadable),
        (b"phone,amount\n", errors.BatchEmpty),
        (b"phone,amount\n\xff\xfe,1\n", errors.FileUnreadable),
        (b"phone,amount\n" + b"x" * 5000, errors.FileUnreadable),
        (b"phone,amount\n0712\x00,1\n", errors.FileUnreadable),
        (b"phone,amount\n" + b"1,1\n" * 5001, errors.BatchTooLong),
    ],
)
def test_refuses_what_is_no_table(market: Market, content: bytes, error: Any) -> None:
    before = snapshot()
    with pytest.raises(error):
        upload(market, content)
    assert changed(before) == []


def test_over_http(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    sita = market.api("sita")
    file = SimpleUploadedFile("batch.csv", FILE, content_type="text/csv")
    answer = client_of(market.people["sita"]).post(
        "/api/v1/charge-batches/",
        {"wallet": str(market.wallets["sita"].pk), "file": file},
        format="multipart",
        HTTP_IDEMPOTENCY_KEY="one",
    )
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["rows_count"], answer.json()["waiting"]) == (8, 8)
    work(market, ChargeBatch.objects.get())
    path = f"charge-batches/{answer.json()['id']}/"
    shown = sita.get(path).json()
    assert (shown["state"], shown["placed"], shown["refused"]) == ("done", 3, 5)
    rows = sita.get(f"{path}rows/?state=placed").json()["results"]
    assert [(row["line"], row["sale_state"]) for row in rows] == [
        (2, "sold"),
        (3, "sold"),
        (10, "sold"),
    ]
    assert market.api("seth").get(f"{path}rows/").status_code == 404
    assert ChargeSale.objects.count() == 3
