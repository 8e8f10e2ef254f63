"""Events: names, payloads, and the way back."""

from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import pytest

from shared_apps.kernel.events import Event, event_type, event_types
from shared_apps.kernel.money import Money


class Method(StrEnum):
    CASH = "cash"


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFInvoiceSent2Party(Event):
    app: ClassVar[str] = "kerneltest"
    subject_type: ClassVar[str] = "kerneltest.invoice"

    party_id: UUID
    amount: Money
    due_date: date
    sent_at: datetime
    method: Method
    rate: Decimal | None = None
    line_ids: tuple[UUID, ...] = ()
    note: str | None = None
    final: bool = False


def sent(**values: Any) -> PDFInvoiceSent2Party:
    return PDFInvoiceSent2Party(
        **{
            "subject_id": UUID(int=1),
            "party_id": UUID(int=2),
            "amount": Money.parse("1250.00", "KES"),
            "due_date": date(2026, 1, 31),
            "sent_at": datetime(2026, 1, 1, 8, tzinfo=UTC),
            "method": Method.CASH,
            **values,
        }
    )


def test_is_named_by_its_app_and_class() -> None:
    assert sent().name == PDFInvoiceSent2Party.event_name() == "kerneltest.pdf_invoice_sent2_party"


def test_is_found_by_its_name() -> None:
    assert event_type("kerneltest.pdf_invoice_sent2_party") is PDFInvoiceSent2Party
    assert "kerneltest.pdf_invoice_sent2_party" in event_types()
    with pytest.raises(LookupError):
        event_type("kerneltest.never_happened")


def test_tells_its_values_as_json() -> None:
    assert sent(line_ids=(UUID(int=3),), rate=Decimal("129.30")).payload() == {
        "subject_id": "00000000-0000-0000-0000-000000000001",
        "party_id": "00000000-0000-0000-0000-000000000002",
        "amount": {"amount": "1250.00", "currency": "KES"},
        "due_date": "2026-01-31",
        "sent_at": "2026-01-01T08:00:00+00:00",
        "method": "cash",
        "rate": "129.30",
        "line_ids": ["00000000-0000-0000-0000-000000000003"],
        "note": None,
        "final": False,
    }


def test_comes_back_from_its_payload() -> None:
    event = sent(line_ids=(UUID(int=3),), rate=Decimal("129.30"), note="so", final=True)
    assert PDFInvoiceSent2Party.from_payload(event.payload()) == event
    assert PDFInvoiceSent2Party.from_payload(sent().payload()) == sent()


def test_is_read_although_a_newer_release_wrote_more() -> None:
    assert PDFInvoiceSent2Party.from_payload({**sent().payload(), "added": 1}) == sent()


def test_is_read_although_an_older_release_wrote_less() -> None:
    payload = sent().payload()
    del payload["note"]
    assert PDFInvoiceSent2Party.from_payload(payload) == sent()


@pytest.mark.parametrize("value", [1.5, object(), b"x"])
def test_carries_nothing_without_an_exact_json(value: object) -> None:
    with pytest.raises(TypeError):
        sent(note=value).payload()


def test_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        sent().final = True  # type: ignore[misc]


def test_two_modules_cannot_declare_one_name() -> None:
    with pytest.raises(TypeError):
        type(
            "PDFInvoiceSent2Party",
            (Event,),
            {
                "__module__": "elsewhere",
                "__slots__": (),
                "app": "kerneltest",
                "subject_type": "kerneltest.invoice",
            },
        )
