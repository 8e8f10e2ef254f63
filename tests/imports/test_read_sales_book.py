"""The reader: dirt of every kind is refused by name, and spoils no other row."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_apps.imports.amounts import money_of
from tenant_apps.imports.cells import cells_of_lines
from tenant_apps.imports.errors import SourceUnreadable
from tenant_apps.imports.names import Names, address_of, likeness
from tenant_apps.imports.sales_book import (
    OPPORTUNITIES,
    Finding,
    Line,
    Refused,
    check_files,
    lines_of,
    opportunity_of,
)
from tests.imports.books import HEADER, book, write

GOOD = "W1,Amara Okoro,Super Drill,Mother Ltd,Won,2025-01-05,2025-03-01,500"


def read(folder: Path, content: str | bytes) -> list[Line | Finding]:
    data = content.encode() if isinstance(content, str) else content
    (folder / OPPORTUNITIES).write_bytes(data)
    return list(lines_of(directory=folder, file_name=OPPORTUNITIES))


def codes(found: list[Line | Finding]) -> list[str]:
    return [one.code if isinstance(one, Finding) else one["opportunity_id"] for one in found]


def text(*lines: str) -> str:
    return "\n".join([",".join(HEADER), *lines]) + "\n"


def line(**cells: str) -> Line:
    good = dict(zip(HEADER, GOOD.split(","), strict=True))
    return Line(OPPORTUNITIES, 2, good | cells)


def test_reads_a_row(tmp_path: Path) -> None:
    (found,) = read(tmp_path, text(GOOD))
    assert isinstance(found, Line)
    one = opportunity_of(found)
    assert (one.line, one.reference, one.stage, one.value) == (2, "W1", "won", Decimal(500))
    assert (one.engaged_on, one.closed_on) == (date(2025, 1, 5), date(2025, 3, 1))


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_takes_any_line_ending_and_a_byte_order_mark(tmp_path: Path, ending: str) -> None:
    content = text(GOOD, "", GOOD.replace("W1", "W2")).replace("\n", ending)
    assert codes(read(tmp_path, b"\xef\xbb\xbf" + content.encode())) == ["W1", "W2"]


def test_trims_cells_and_knows_columns_in_any_order_and_case(tmp_path: Path) -> None:
    header = ",".join([" Close_Value ", *(name.upper() for name in HEADER[:-1]), "remark"])
    (found,) = read(tmp_path, f"{header}\n500,  W1 ,Amara  Okoro,,,Won,,,new\n")
    assert isinstance(found, Line)
    assert (found["opportunity_id"], found["sales_agent"]) == ("W1", "Amara Okoro")


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ("W0,too,few", "wrong_number_of_cells"),
        (GOOD + ",too many", "wrong_number_of_cells"),
        (GOOD.replace("W1", 'W"0'), "wrong_number_of_cells_not"),
        (GOOD.replace("Amara", "Am\x00ara"), "unreadable_cell"),
        (GOOD.replace("Mother", "M" * 300), "unreadable_cell"),
    ],
)
def test_a_spoilt_line_is_refused_and_the_next_one_read(
    tmp_path: Path, spoilt: str, code: str
) -> None:
    found = codes(read(tmp_path, text(spoilt, GOOD)))
    if code.endswith("_not"):
        # A quotation mark within a cell is a character like others.
        assert found == ['W"0', "W1"]
    else:
        assert found == [code, "W1"]


def test_a_quotation_mark_too_many_swallows_no_other_row(tmp_path: Path) -> None:
    others = [GOOD.replace("W1", f"W{n}") for n in range(2, 12)]
    found = read(tmp_path, text(GOOD, GOOD.replace("Mother Ltd", '"Mother Ltd'), *others))
    assert codes(found) == ["W1", "W1", *(f"W{n}" for n in range(2, 12))]
    assert [one.number for one in found if isinstance(one, Line)] == list(range(2, 14))


def test_a_quoted_cell_may_go_over_lines(tmp_path: Path) -> None:
    found = read(tmp_path, text(GOOD.replace("Mother Ltd", '"Mother,\nLtd"'), "W2,too,few"))
    assert isinstance(found[0], Line)
    assert found[0]["account"] == "Mother, Ltd"
    assert isinstance(found[1], Finding)
    assert (found[1].line, found[1].reference) == (4, "W2")


def test_lines_of_cells_are_counted_as_they_stand() -> None:
    rows = list(cells_of_lines(lines=iter(['a,"b\n', 'c"\n', "d,e\n", 'f,"g\n']), width=2, first=2))
    assert rows == [(2, ["a", "b\nc"]), (4, ["d", "e"]), (5, ["f", '"g'])]


@given(
    lines=st.lists(st.text(st.sampled_from('ab,," \x00=-\t'), max_size=12), max_size=12),
    width=st.integers(1, 4),
)
def test_no_line_is_lost_whatever_stands_in_it(lines: list[str], width: int) -> None:
    rows = list(cells_of_lines(lines=(f"{text}\n" for text in lines), width=width, first=2))
    numbers = [number for number, _ in rows] + [len(lines) + 2]
    assert numbers[0] == 2
    for (number, cells), following in zip(rows, numbers[1:], strict=True):
        # Each line begins a row, or belongs to one that is whole with it.
        assert following == number + 1 or (following > number and len(cells) == width)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"opportunity_id,sales_agent\nW1,Amara\n",
        ",".join([*HEADER, "account"]).encode() + b"\n",
        text(GOOD).encode("utf-16"),
        text(GOOD.replace("Amara", "Am\xe4ra")).encode("latin-1"),
    ],
    ids=["empty", "blank", "columns missing", "column twice", "utf-16", "latin-1"],
)
def test_what_is_no_such_file_as_a_whole_is_unreadable(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceUnreadable):
        read(tmp_path, content)


def test_every_file_is_checked_before_anything_is_written(tmp_path: Path) -> None:
    folder = book(tmp_path / "book")
    check_files(directory=folder)
    write(folder, "products.csv", [("product",)])
    with pytest.raises(SourceUnreadable, match="lacks the column series, sales_price"):
        check_files(directory=folder)
    (folder / "products.csv").unlink()
    with pytest.raises(SourceUnreadable, match=r"products\.csv is not in"):
        check_files(directory=folder)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"opportunity_id": ""}, "reference_missing"),
        ({"deal_stage": "Closed"}, "stage_unknown"),
        ({"deal_stage": ""}, "stage_unknown"),
        ({"close_date": "01/03/2025"}, "date_malformed"),
        ({"close_date": "2025-02-30"}, "date_malformed"),
        ({"close_date": "20250301"}, "date_malformed"),
        ({"close_date": "2025-W09-6"}, "date_malformed"),
        ({"engage_date": "soon"}, "date_malformed"),
        ({"close_value": "-5"}, "amount_malformed"),
        ({"close_value": "NaN"}, "amount_malformed"),
        ({"close_value": "Infinity"}, "amount_malformed"),
        ({"close_value": "1e5"}, "amount_malformed"),
        ({"close_value": "1_000"}, "amount_malformed"),
        ({"close_value": "1,000"}, "amount_malformed"),
        ({"close_value": "\u0665\u0660\u0660"}, "amount_malformed"),
        ({"close_value": "=1+1"}, "amount_malformed"),
        ({"close_value": "9" * 30}, "amount_too_large"),
    ],
)
def test_a_cell_that_is_not_what_its_column_holds(cells: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        opportunity_of(line(**cells))
    assert refused.value.code == code


def test_money_is_never_rounded() -> None:
    assert money_of(Decimal("1000.50"), currency="KES").minor == 100_050
    assert money_of(Decimal("1000.5000"), currency="KES").minor == 100_050
    assert money_of(Decimal("1000"), currency="JPY").minor == 1000
    for amount, currency, code in [
        ("1000.505", "KES", "amount_too_fine"),
        ("0.5", "JPY", "amount_too_fine"),
        ("0.0000000000000000000001", "KES", "amount_too_fine"),
        ("999999999999999999999", "KES", "amount_too_large"),
    ]:
        with pytest.raises(Refused) as refused:
            money_of(Decimal(amount), currency=currency)
        assert refused.value.code == code


def test_one_name_in_several_spellings() -> None:
    names = Names()
    for name in ("GTX Pro", "GTX Plus Pro", "東京", "A-1", "A1", "!!!"):
        names.add(name)
    assert (
        names.find("GTXPro")
        == names.find("gtx  pro")
        == names.find("\uff27\uff34\uff38-Pro")
        == "GTX Pro"
    )
    assert names.find("GTX Prof") is None
    # Names of other scripts are not all alike, and names without a letter are like no other.
    assert names.find("北京") is None
    assert names.find("???") is None
    # Two could be meant; as they are written themselves, they are found.
    assert names.find("a 1") is None
    assert names.find("A1") == "A1"
    assert likeness("Straße 1") == "strasse1"


def test_addresses_are_the_names_own() -> None:
    made = [
        address_of(name, mail_domain="acme.invalid")
        for name in ("Anna Snelling", "anna  SNELLING", "José Luis", "Jose Luis", "東京", "北京")
    ]
    assert made[0] == made[1] == "anna.snelling@acme.invalid"
    assert made[3] == "jose.luis@acme.invalid"
    assert len(set(made)) == 5
    assert all(address.isascii() and not address.startswith((".", "@")) for address in made)
