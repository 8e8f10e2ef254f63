"""What people did about a deal, noted through the API."""

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.deals.models import Activity
from tests.cast import Cast
from tests.deals.stories import a_deal, a_won_deal, path


def test_activities_are_noted_and_never_changed(cast: Cast) -> None:
    deal = a_won_deal(cast)
    olga = cast.api("olga")

    noted = olga.post(path(deal, "activities/"), {"kind": "call", "text": "They are happy."})

    assert noted.status_code == 201, noted.json()
    row = path(deal, f"activities/{noted.json()['id']}/")
    assert olga.get(row).json()["text"] == "They are happy."
    assert olga.patch(row, {"text": "x"}).status_code == 405
    assert olga.delete(row).status_code == 405
    assert AuditEntry.objects.get(event_name="deals.activity_noted").payload["kind"] == "call"


@pytest.mark.parametrize(
    ("name", "status"), [("paul", 404), ("oscar", 404), ("vera", 403), ("ada", 403)]
)
def test_activities_of_others_are_not_noted(cast: Cast, name: str, status: int) -> None:
    deal = a_deal(cast)

    answer = cast.api(name).post(path(deal, "activities/"), {"kind": "note", "text": "x"})

    assert answer.status_code == status
    assert not Activity.objects.exists()


def test_what_has_not_happened_is_not_noted(cast: Cast) -> None:
    answer = cast.api("olga").post(
        path(a_deal(cast), "activities/"),
        {"kind": "note", "text": "x", "happened_at": "2126-01-01T00:00:00Z"},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "activity_in_future")
    assert not Activity.objects.exists()
