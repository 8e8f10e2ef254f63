"""Who sees which deals, and what of them."""

import pytest

from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, path


def test_are_listed_as_far_as_the_role_reaches(cast: Cast) -> None:
    own, teammates, other = (a_deal(cast, owner=name) for name in ("olga", "paul", "oscar"))
    wanted = {
        "olga": {own},
        "paul": {teammates},
        "oscar": {other},
        "lea": {own, teammates},
        "vera": {own, teammates, other},
        "sam": {own, teammates, other},
        "ada": {own, teammates, other},
    }

    for name, deals in wanted.items():
        rows = cast.api(name).get("deals/").json()["results"]
        assert {row["id"] for row in rows} == {str(deal.pk) for deal in deals}, name
        for deal in (own, teammates, other):
            status = cast.api(name).get(path(deal)).status_code
            assert status == (200 if deal in deals else 404), (name, deal.owner_id)


def test_cost_the_same_statements_for_one_and_for_twenty(cast: Cast) -> None:
    client = a_client(cast)
    sam = cast.api("sam")
    a_deal(cast, client_id=client.pk)
    assert sam.get("deals/").status_code == 200  # the routing has cached the host by now
    counts: dict[str, list[int]] = {}
    for _ in range(2):
        for query in ("", "?expand=client,product,owner", "?ordering=-value&stage=prospecting"):
            assert sam.get(f"deals/{query}").status_code == 200
            counts.setdefault(query, []).append(len(sam.statements))
        for _ in range(19):
            a_deal(cast, client_id=client.pk)

    assert all(one == twenty for one, twenty in counts.values()), counts


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "stage=winning",
        "ordering=secret",
        "page_size=0",
        "page_size=1000000",
        "cursor=forged",
        "expand=unit",
        "expand=client.deals",
        "owner=me",
        "closed_from=yesterday",
    ],
)
def test_a_query_that_is_not_declared_is_refused(cast: Cast, query: str) -> None:
    assert cast.api("sam").get(f"deals/?{query}").status_code == 400


def test_are_walked_by_cursor_without_losing_one(cast: Cast) -> None:
    deals = {str(a_deal(cast).pk) for _ in range(5)}
    olga = cast.api("olga")
    seen: list[str] = []
    page = "/api/v1/deals/?page_size=2&ordering=value"
    while page:
        body = olga.get(page).json()
        seen += [row["id"] for row in body["results"]]
        page = (body["next"] or "").replace("http://acme.kontor.test", "")

    assert sorted(seen) == sorted(deals)


def test_keep_the_history_of_their_fields_for_whoever_sees_them(cast: Cast) -> None:
    deal = a_deal(cast)
    olga = cast.api("olga")
    olga.patch(path(deal), {"name": "Roof"})
    olga.post(path(deal, "stage-changes/"), {"to_stage": "engaging"})

    rows = olga.get(path(deal, "history/")).json()["results"]

    assert [row["action"] for row in rows] == ["update", "update", "create"]
    assert rows[0]["changes"]["stage"] == ["prospecting", "engaging"]
    assert rows[1]["changes"] == {"name": ["", "Roof"]}
    assert rows[1]["actor_user_id"] == str(cast.user("olga").pk)
    assert cast.api("lea").get(path(deal, "history/")).status_code == 200
    assert cast.api("oscar").get(path(deal, "history/")).status_code == 404


def test_show_their_relations_on_request(cast: Cast) -> None:
    deal = a_deal(cast, client_id=a_client(cast).pk)

    body = cast.api("olga").get(path(deal, "?expand=client,owner,product")).json()

    assert body["client"]["name"] == "Mto Traders"
    assert body["owner"]["full_name"] == "Olga"
    assert body["product"] is None


def test_show_nothing_in_full_that_the_caller_may_not_see(cast: Cast) -> None:
    from shared_apps.access.services import grant_object

    deal = a_deal(cast, client_id=a_client(cast).pk)
    grant_object(
        actor=cast.system,
        user_id=cast.user("oscar").pk,
        permission="deals.view_deal",
        subject=deal,
    )

    body = cast.api("oscar").get(path(deal, "?expand=client,owner")).json()

    # Oscar sees clients, and of people himself.
    assert body["client"]["name"] == "Mto Traders"
    assert body["owner"] is None


def test_are_hidden_from_visitors(cast: Cast) -> None:
    from rest_framework.test import APIClient

    for address in ("deals/", "clients/", "products/", "invoices/"):
        answer = APIClient(HTTP_HOST="acme.kontor.test").get(f"/api/v1/{address}")
        assert answer.status_code == 401


def test_a_token_of_this_organization_is_no_good_next_door(cast: Cast) -> None:
    deal = a_deal(cast)

    answer = cast.api("sam", host="neighbour.kontor.test").get(path(deal))

    assert answer.status_code == 401


def test_one_shared_deal_is_seen_and_no_other(cast: Cast) -> None:
    from shared_apps.access.services import grant_object

    shared, other = a_deal(cast), a_deal(cast)
    grant_object(
        actor=cast.system,
        user_id=cast.user("oscar").pk,
        permission="deals.view_deal",
        subject=shared,
    )
    oscar = cast.api("oscar")

    assert oscar.get(path(shared)).status_code == 200
    assert oscar.get(path(other)).status_code == 404
    assert oscar.patch(path(shared), {"name": "x"}).status_code == 403
    assert [row["id"] for row in oscar.get("deals/").json()["results"]] == [str(shared.pk)]


def test_one_shared_deal_can_be_changed_by_who_may_change_no_other(cast: Cast) -> None:
    from shared_apps.access.services import grant_object

    shared, other = a_deal(cast), a_deal(cast)
    for permission in ("deals.view_deal", "deals.change_deal"):
        grant_object(
            actor=cast.system,
            user_id=cast.user("vera").pk,
            permission=permission,
            subject=shared,
        )
    vera = cast.api("vera")

    assert vera.patch(path(shared), {"name": "x"}).status_code == 200
    assert vera.patch(path(other), {"name": "x"}).status_code == 403
