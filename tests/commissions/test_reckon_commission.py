"""The commission calculator: worked examples, published cases, and its laws."""

import itertools
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.money import Money
from tenant_apps.commissions.calculator import Basis, reckon


def kes(text: str) -> Money:
    return Money.parse(text, "KES")


def basis(
    *,
    net: Money,
    gross: Money | None = None,
    before: Money | None = None,
    after: Money | None = None,
    percent: str = "5",
    rate: Fraction = Fraction(1),
    currency: str | None = None,
) -> Basis:
    whole = gross or net
    return Basis(
        net=net,
        gross=whole,
        before=before or Money.zero(whole.currency),
        after=after or whole,
        percent=Decimal(percent),
        rate=rate,
        currency=currency or whole.currency,
    )


def test_five_per_cent_of_a_fully_paid_invoice_net_of_tax() -> None:
    result = reckon(basis(net=kes("1000.00"), gross=kes("1160.00")))
    assert result.net == kes("1000.00")
    assert result.commission == kes("50.00")
    assert [(step.name, step.result) for step in result.steps] == [
        ("collected", "KES 1160.00"),
        ("net of tax", "KES 1000.00"),
        ("commission", "KES 50.00"),
    ]
    assert result.steps[-1].formula == "KES 1000.00 x 5 %"


def test_a_third_and_then_the_rest_sum_to_the_whole() -> None:
    thirds = [kes("0.00"), kes("333.33"), kes("1000.00")]
    parts = [
        reckon(basis(net=kes("1000.00"), before=low, after=high)).commission
        for low, high in itertools.pairwise(thirds)
    ]
    assert parts == [kes("16.67"), kes("33.33")]
    assert sum(part.minor for part in parts) == 5000


def test_another_currency_is_converted_at_the_rate_and_rounded_once() -> None:
    result = reckon(
        basis(
            net=Money.parse("100.00", "USD"),
            percent="2.5",
            rate=Fraction("129.35"),
            currency="KES",
        )
    )
    # 100 x 2.5 % = 2.50 USD; 2.50 x 129.35 = 323.375, the half goes to the even cent.
    assert result.commission == kes("323.38")
    assert result.steps[-1].formula == "USD 100.00 x 2.5 % x 129.35 KES per USD"


def test_currencies_with_other_decimals() -> None:
    result = reckon(
        basis(
            net=Money.parse("10000", "JPY"),
            percent="10",
            rate=Fraction("0.85"),
            currency="KES",
        )
    )
    assert result.commission == kes("850.00")


def test_nothing_for_nothing() -> None:
    assert reckon(basis(net=kes("1000.00"), percent="0")).commission == kes("0.00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"before": kes("5.00"), "after": kes("5.00")},
        {"after": kes("1000.01")},
        {"percent": "-1"},
        {"rate": Fraction(0)},
        {"rate": Fraction(2)},
    ],
)
def test_refuses_what_cannot_be(wrong: Any) -> None:
    with pytest.raises(ValueError):
        basis(net=kes("1000.00"), **wrong)


money = st.integers(min_value=1, max_value=10**12)


@given(
    gross=money,
    tax=st.integers(min_value=0, max_value=10**6),
    cuts=st.lists(st.integers(min_value=1, max_value=10**12), max_size=6),
    percent=st.decimals(min_value=0, max_value=100, places=4),
    rate=st.fractions(min_value=Fraction(1, 1000), max_value=1000).filter(bool),
)
def test_parts_sum_to_the_commission_on_the_whole(
    gross: Any, tax: Any, cuts: Any, percent: Any, rate: Any
) -> None:
    net = Money(gross, "USD")
    whole = Money(gross + tax, "USD")
    ends = sorted({0, whole.minor, *(cut % whole.minor for cut in cuts)})
    parts = [
        reckon(
            basis(
                net=net,
                gross=whole,
                before=Money(low, "USD"),
                after=Money(high, "USD"),
                percent=str(percent),
                rate=rate,
                currency="KES",
            )
        )
        for low, high in itertools.pairwise(ends)
    ]
    complete = reckon(basis(net=net, gross=whole, percent=str(percent), rate=rate, currency="KES"))
    assert sum(part.commission.minor for part in parts) == complete.commission.minor
    assert sum(part.net.minor for part in parts) == net.minor
    assert all(part.commission.minor >= 0 for part in parts)


@given(
    net=money,
    percent=st.decimals(min_value=0, max_value=100, places=4),
    rate=st.fractions(min_value=Fraction(1, 1000), max_value=1000).filter(bool),
)
def test_a_stored_basis_gives_the_same_result_again(net: Any, percent: Any, rate: Any) -> None:
    first = basis(net=Money(net, "USD"), percent=str(percent), rate=rate, currency="KES")
    again = Basis.from_json(json.loads(json.dumps(first.to_json())))
    assert again == first
    assert reckon(again) == reckon(first)


class TestPublishedCases:
    """Percent cases that others published."""

    @pytest.fixture
    def cases(self, trial_data: Any) -> dict[str, Any]:
        path = trial_data / "oracles" / "commission_cases.json"
        return {case["id"]: case for case in json.loads(path.read_text())["cases"]}

    def test_five_per_cent_and_a_tenth_of_that(self, cases: Any) -> None:
        case = cases["oca-formula"]
        subtotal = Money.parse(case["inputs"]["subtotal"], "EUR")
        result = reckon(basis(net=subtotal, percent="5.5"))
        assert result.commission.to_string() == case["expected"]

    def test_per_cent_of_a_product(self, cases: Any) -> None:
        case = cases["oca-criteria-product"]
        price = Money.of_major(case["inputs"]["price"], "EUR")
        result = reckon(basis(net=price, percent=str(case["inputs"]["pct"])))
        assert result.commission == Money.of_major(int(case["expected"]), "EUR")

    def test_free_of_commission(self, cases: Any) -> None:
        case = cases["oca-commission-free"]
        result = reckon(basis(net=Money(100_000, "EUR"), percent="0"))
        assert result.commission == Money.of_major(int(case["expected"]), "EUR")

    def test_paid_a_third_and_then_the_rest(self, cases: Any) -> None:
        assert cases["oca-partial-pay"]["inputs"] == "invoice paid 1/3 then rest"
        whole = Money(30_000, "EUR")
        third, rest = (
            reckon(basis(net=whole, after=Money(10_000, "EUR"))).commission,
            reckon(basis(net=whole, before=Money(10_000, "EUR"))).commission,
        )
        assert third == Money(500, "EUR")
        assert third + rest == reckon(basis(net=whole)).commission

    def test_rate_of_twenty_five_to_one(self, cases: Any) -> None:
        assert "25 Coin X per company currency unit" in cases["oca-multicurrency"]["rule"]
        foreign = Money(25_000, "USD")
        result = reckon(basis(net=foreign, percent="5", rate=Fraction(1, 25), currency="EUR"))
        assert result.commission == Money(50, "EUR")
