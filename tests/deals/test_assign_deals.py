"""Deals are given to another owner through the API."""

import pytest

from shared_apps.audit.models import AuditEntry
from tests.cast import Cast
from tests.deals.stories import a_deal, a_won_deal, path


def test_are_given_to_another_owner_by_the_lead(cast: Cast) -> None:
    deal = a_deal(cast)

    answer = cast.api("lea").post(path(deal, "assignment/"), {"owner": str(cast.user("paul").pk)})

    assert answer.status_code in (200, 201), answer.json()
    assert cast.api("olga").get(path(deal)).status_code == 404
    assert cast.api("paul").get(path(deal)).status_code == 200
    entry = AuditEntry.objects.get(event_name="deals.deal_assigned")
    assert entry.payload["previous_owner_id"] == str(cast.user("olga").pk)


@pytest.mark.parametrize(
    ("name", "owner", "status"),
    [
        ("olga", "paul", 403),
        ("lea", "oscar", 403),
        ("vera", "paul", 403),
        ("ada", "paul", 403),
        ("oscar", "oscar", 404),
        ("sam", "oscar", 201),
    ],
)
def test_are_given_away_only_where_the_role_reaches(
    cast: Cast, name: str, owner: str, status: int
) -> None:
    deal = a_deal(cast)

    answer = cast.api(name).post(path(deal, "assignment/"), {"owner": str(cast.user(owner).pk)})

    assert answer.status_code == status, answer.json()
    deal.refresh_from_db()
    assert deal.owner_id == cast.user("oscar" if status == 201 else "olga").pk


def test_a_won_deal_is_not_given_away(cast: Cast) -> None:
    deal = a_won_deal(cast)

    answer = cast.api("lea").post(path(deal, "assignment/"), {"owner": str(cast.user("paul").pk)})

    assert (answer.status_code, answer.json()["code"]) == (409, "deal_closed")
