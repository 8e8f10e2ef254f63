"""The currencies and their decimals."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from shared_apps.kernel import currencies


@pytest.mark.parametrize(
    ("code", "expected"), [("KES", 2), ("EUR", 2), ("JPY", 0), ("UGX", 0), ("KWD", 3), ("CLF", 4)]
)
def test_knows_the_decimals_of(code: str, expected: int) -> None:
    assert currencies.decimals(code) == expected


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "eur", "EURO", ""])
def test_does_not_take_for_a_currency(code: str) -> None:
    assert not currencies.is_currency(code)
    with pytest.raises(ValueError):
        currencies.decimals(code)


def test_has_exactly_the_published_list(trial_data: Path) -> None:
    table = ElementTree.parse(trial_data / "data" / "reference" / "iso4217_table.xml")
    published = {
        entry.findtext("Ccy"): int(units)
        for entry in table.iter("CcyNtry")
        if (units := entry.findtext("CcyMnrUnts") or "").isdecimal()
    }
    assert {code: currencies.decimals(code) for code in currencies.CODES} == published
