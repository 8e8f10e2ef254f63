"""Phone numbers, however they are written, and whose they are."""

import pytest

from tenant_apps.wallets import errors, services
from tenant_apps.wallets.models import Operator
from tenant_apps.wallets.phones import normalised
from tests.snapshots import changed, snapshot
from tests.wallets.stories import Market, a_sale, credit


@pytest.mark.parametrize(
    "text",
    ["+254712345678", "0712345678", "0712 345 678", "(0712) 345-678", "712345678", "00254712345678"
     .replace("00254", "+254"), " +254 712 345 678 "],
)  # fmt: skip
def test_one_number_has_one_text(text: str) -> None:
    assert normalised(text, country="KE") == "+254712345678"


def test_numbers_of_other_countries_are_written_in_full() -> None:
    assert normalised("+256772123456", country="KE") == "+256772123456"


@pytest.mark.parametrize(
    "text",
    ["", "abc", "12", "+2547123456789012", "+254", "0712345678 ext 5", "+254202222222", "0" * 41,
     "'; DROP TABLE", "+0712345678", "911",
     "call 0712345678", "0712345678 or not", "tel:+254712345678", "07123MOBILE", "\u0660712345678"],
)  # fmt: skip
def test_refuses_what_is_no_mobile_number(text: str) -> None:
    with pytest.raises(errors.PhoneNumberInvalid):
        normalised(text, country="KE")


@pytest.mark.parametrize(
    ("phone", "operator"),
    [("0712345678", "savanna"), ("0733123456", "lake"), ("0100123456", "lake")],
)
def test_the_longest_prefix_decides(market: Market, phone: str, operator: str) -> None:
    credit(market, "100.00")
    assert a_sale(market, phone=phone).operator.code == operator


def test_refuses_numbers_of_no_operator(market: Market) -> None:
    credit(market, "100.00")
    before = snapshot()
    with pytest.raises(errors.OperatorUnknown):
        a_sale(market, phone="+256772123456")
    assert changed(before) == []


def test_a_closed_operators_numbers_go_to_the_shorter_prefix(market: Market) -> None:
    credit(market, "100.00")
    lake = Operator.objects.get(code="lake")
    services.change_operator(
        actor=market.actor("wanda"), operator_id=lake.pk, changes={"is_active": False}
    )
    assert a_sale(market, phone="0733123456").operator.code == "savanna"
    with pytest.raises(errors.OperatorUnknown):
        a_sale(market, phone="0100123456")


def test_a_prefix_has_one_operator(market: Market) -> None:
    before = snapshot()
    for act in (
        lambda: services.add_operator(
            actor=market.actor("wanda"), code="new", name="New", prefixes=["+2547"]
        ),
        lambda: services.add_operator(
            actor=market.actor("wanda"), code="lake", name="New", prefixes=["+25477"]
        ),
    ):
        with pytest.raises((errors.PrefixTaken, errors.OperatorCodeTaken)):
            act()
    assert changed(before) == []


def test_operators_are_kept_over_http(market: Market) -> None:
    wanda = market.api("wanda")
    made = wanda.post(
        "operators/", {"code": "hill", "name": "Hill", "prefixes": ["+25475", "+25476"]}
    )
    assert made.json()["prefixes"] == ["+25475", "+25476"]
    path = f"operators/{made.json()['id']}/"
    assert wanda.patch(path, {"prefixes": ["+25476"]}).json()["prefixes"] == ["+25476"]
    assert wanda.patch(path, {"prefixes": ["25476"]}).status_code == 400
    assert market.api("sita").patch(path, {"name": "Mine"}).status_code == 403
