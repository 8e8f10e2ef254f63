import time

import pytest

from shared_apps.documents.errors import PdfFailed
from shared_apps.documents.pdf import render

LETTER = """
#import "/letter.typ": letter, amounts
#let data = json(bytes(sys.inputs.data))
#show: letter.with(title: "Invoice", issuer: data.issuer, recipient: data.recipient,
  facts: data.facts, footer: "Thank you")
#amounts(columns: (1fr, auto), head: ("Item", "Amount"), rows: data.rows)
"""
DATA = {
    "issuer": ["Acme Trading Limited", "Nairobi"],
    "recipient": ["Ngũgĩ & Söhne", "Żółta 3"],
    "facts": [["Number", "INV-2026-0001"]],
    "rows": [["GTX Pro", "1,250.00"], ["Discount", "-10.00"]],
}


def test_makes_the_same_bytes_from_the_same_input_at_any_time() -> None:
    first = render(LETTER, DATA)
    time.sleep(1.1)
    assert render(LETTER, DATA) == first
    assert first.startswith(b"%PDF-1.7")
    assert b"pdfaid" in first or len(first) > 5000


def test_different_data_make_different_bytes() -> None:
    assert render(LETTER, DATA) != render(LETTER, {**DATA, "recipient": ["Somebody else"]})


def test_a_letter_without_issuer_lines_or_facts_still_renders() -> None:
    assert render(LETTER, {"issuer": [], "recipient": [], "facts": [], "rows": []})


@pytest.mark.parametrize(
    "text", ['#read("/letter.typ")', "#panic()", "$x$", "*bold*", "= Title", "\\", '"', "</x>"]
)
def test_data_are_text_and_never_markup(text: str) -> None:
    assert render(LETTER, {**DATA, "recipient": [text]})


@pytest.mark.parametrize(
    "source",
    ['#read("/etc/passwd")', '#read("../models.py")', '#image("/../../../etc/hostname")', "#("],
)
def test_a_source_reads_nothing_outside_its_folder(source: str) -> None:
    with pytest.raises(PdfFailed):
        render(source, {})


def test_refuses_data_that_are_no_json() -> None:
    with pytest.raises(TypeError):
        render(LETTER, {**DATA, "rows": [object()]})
    with pytest.raises(ValueError):
        render(LETTER, {**DATA, "rows": [float("nan")]})
