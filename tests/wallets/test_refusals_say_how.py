"""A refusal says where the request is wrong, and how to put it right."""

from io import BytesIO
from typing import Any

import pytest

from tenant_apps.wallets import errors, services
from tests.wallets.stories import PHONE, Market, credit, kes


def sale(market: Market, **values: Any) -> dict[str, Any]:
    given = {"phone": PHONE, "amount": kes("10.00").to_json(), **values}
    return {"wallet": str(market.wallets["sita"].pk), **given}


def said(response: Any) -> tuple[str, str, str]:
    """Code, place and words; the words stand with the place where there is one."""
    answer = response.json()
    if not answer["errors"]:
        return answer["code"], "", answer["detail"]
    (error,) = answer["errors"]
    return answer["code"], error["pointer"], error["detail"]


@pytest.mark.parametrize(
    ("values", "code", "pointer", "detail"),
    [
        (
            {"phone": "0712"},
            "phone_number_invalid",
            "/phone",
            "A mobile number is written like 0712 123456 or +254712123456.",
        ),
        (
            {"phone": "+256772123456"},
            "operator_unknown",
            "",
            "No operator that is active has a prefix of this number. A wallet admin keeps them.",
        ),
        (
            {"amount": kes("50.01").to_json()},
            "sale_limit_exceeded",
            "",
            "One sale from this wallet is at most KES 50.00.",
        ),
        (
            {"amount": kes("31.00").to_json()},
            "daily_limit_exceeded",
            "",
            "The wallet sells at most KES 60.00 a day, and KES 30.00 are left today.",
        ),
        (
            {"amount": kes("20.01").to_json()},
            "not_enough_credit",
            "",
            "Less than this is available: what is held for running sales counts as spent.",
        ),
        (
            {"amount": kes("99999999999999.00").to_json()},
            "credit_amount_too_large",
            "",
            "At most KES 10000000000000.00 at once.",
        ),
    ],
)
def test_of_a_sale(
    market: Market, simulated: Any, values: Any, code: str, pointer: str, detail: str
) -> None:
    simulated()
    credit(market, "50.00")
    services.change_wallet(
        actor=market.actor("wanda"),
        wallet_id=market.wallets["sita"].pk,
        changes={"sale_limit": kes("50.00"), "daily_limit": kes("60.00")},
    )
    sita = market.api("sita")
    first = sita.post("charge-sales/", sale(market, amount=kes("30.00").to_json()))
    assert first.status_code == 201
    assert said(sita.post("charge-sales/", sale(market, **values))) == (code, pointer, detail)


def test_what_was_sold_today_is_shown(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "50.00")
    sita, path = market.api("sita"), f"wallets/{market.wallets['sita'].pk}/"
    sita.post("charge-sales/", sale(market))
    assert sita.get(path).json()["sold_today"] == kes("10.00").to_json()
    wallet = market.wallet("sita")
    assert wallet.sold_on is not None
    wallet.sold_on = wallet.sold_on.replace(year=2020)
    wallet.save(update_fields=["sold_on"])
    assert sita.get(path).json()["sold_today"] == kes("0.00").to_json()


COLUMNS = "The first line names the columns, separated by commas: phone, amount."
TWICE = b"phone,amount,amount\n0712345678,1.00,2.00\n"


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", f"{COLUMNS} phone is not there."),
        (b"phone;amount\n", f"{COLUMNS} phone is not there."),
        (TWICE, f"{COLUMNS} amount is there more than once."),
        (b"phone,amount\n\xe4,1.00\n", "It is not UTF-8. Save it as CSV in UTF-8."),
        (b"phone,amount\n" + b"1" * 5000, "Line 2 is longer than 4096 characters."),
        (b"phone,amount\n1,1\n\x00,1\n", "Line 3 is not text."),
    ],
)
def test_of_a_file(market: Market, content: bytes, detail: str) -> None:
    with pytest.raises(errors.FileUnreadable) as refusal:
        services.upload_charge_batch(
            actor=market.actor("sita"),
            wallet_id=market.wallets["sita"].pk,
            file=BytesIO(content),
        )
    (error,) = refusal.value.errors
    assert (error.pointer, error.detail) == ("/file", detail)


def test_of_prefixes(market: Market) -> None:
    wanda = market.api("wanda")
    taken = {"code": "hill", "name": "Hill", "prefixes": ["+25473", "+25479"]}
    refused = said(wanda.post("operators/", taken))
    assert refused == ("operator_prefix_taken", "", "+25473 is Lake's.")
    assert said(wanda.post("operators/", {**taken, "prefixes": ["0790"]})) == (
        "invalid_input",
        "/prefixes/0",
        "A prefix is a plus and the first digits of the number in full, such as +25471.",
    )


@pytest.mark.parametrize("path", ["history", "statement/csv", "statement/pdf"])
def test_of_days_in_the_wrong_order(market: Market, path: str) -> None:
    wallet = f"wallets/{market.wallets['sita'].pk}/{path}/"
    answer = market.api("sita").get(f"{wallet}?day_from=2026-03-02&day_to=2026-03-01")
    words = "It is not before 2026-03-02, the first day."
    assert said(answer) == ("invalid_input", "/day_to", words)


def test_of_amounts_and_numbers_that_are_looked_for(market: Market) -> None:
    sita, path = market.api("sita"), f"wallets/{market.wallets['sita'].pk}/history/"
    _, pointer, detail = said(sita.get(f"{path}?amount_from=5"))
    assert (pointer, detail) == ("/amount_from", 'An amount in KES is a text like "1250.00".')
    code, pointer, _ = said(sita.get(f"{path}?number=5"))
    assert (code, pointer) == ("phone_number_invalid", "/number")
