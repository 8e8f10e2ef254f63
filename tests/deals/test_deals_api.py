"""Deals through the API ..."""

from typing import Any
from uuid import uuid4

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.deals.models import Activity, Deal, StageChange
from tenant_apps.invoices.models import Invoice
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, a_won_deal

MONEY = {"amount": "1250.00", "currency": "KES"}


def path(deal: Deal, rest: str = "") -> str:
    return f"deals/{deal.pk}/{rest}"


def test_are_recorded_by_a_salesperson_as_their_own(cast: Cast) -> None:
    answer = cast.api("olga").post("deals/", {"name": "Solar roof", "value": MONEY})

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["stage"], body["value"]) == ("prospecting", MONEY)
    assert body["owner"] == str(cast.user("olga").pk)
    assert body["unit"] == str(cast.unit_of("olga").pk)
    assert answer["ETag"] == '"1"'


def test_are_recorded_by_a_lead_for_a_member(cast: Cast) -> None:
    answer = cast.api("lea").post(
        "deals/", {"value": MONEY, "owner": str(cast.user("paul").pk), "stage": "engaging"}
    )

    assert answer.status_code == 201
    assert answer.json()["owner"] == str(cast.user("paul").pk)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/value"),
        ({"value": "1250.00"}, "/value"),
        ({"value": {"amount": 1250, "currency": "KES"}}, "/value"),
        ({"value": {"amount": "1250.0", "currency": "KES"}}, "/value"),
        ({"value": {"amount": "1250.00", "currency": "XXQ"}}, "/value"),
        ({"value": {"amount": "-1.00", "currency": "KES"}}, "/value"),
        ({"value": {"amount": "99999999999999999999.00", "currency": "KES"}}, "/value"),
        ({"value": {"amount": "1000000000000.01", "currency": "KES"}}, "/value"),
        ({"value": MONEY, "stage": "won"}, "/stage"),
        ({"value": MONEY, "reference": "DLID0001"}, "/reference"),
        ({"value": MONEY, "version": 7}, "/version"),
        ({"value": MONEY, "client": "nobody"}, "/client"),
        ({"value": MONEY, "client": str(uuid4())}, "/client"),
        ({"value": MONEY, "product": str(uuid4())}, "/product"),
        ({"value": MONEY, "tax_rate": str(uuid4())}, "/tax_rate"),
        ({"value": MONEY, "owner": str(uuid4())}, "/owner"),
        ({"value": MONEY, "name": "x" * 201}, "/name"),
        ({"value": MONEY, "staged_on": "2026-13-01"}, "/staged_on"),
    ],
)
def test_are_refused_with_the_place_of_the_mistake(
    cast: Cast, body: dict[str, Any], pointer: str
) -> None:
    answer = cast.api("olga").post("deals/", body)

    assert answer.status_code == 400, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert pointer in [error["pointer"].rstrip("/") for error in answer.json()["errors"]]
    assert not Deal.objects.exists()


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


def test_change_under_their_etag(cast: Cast) -> None:
    deal = a_deal(cast)
    olga = cast.api("olga")

    first = olga.patch(path(deal), {"name": "Roof"}, HTTP_IF_MATCH='"1"')
    second = olga.patch(path(deal), {"name": "Barn"}, HTTP_IF_MATCH='"1"')

    assert (first.status_code, first["ETag"]) == (200, '"2"')
    assert (second.status_code, second.json()["code"]) == (412, "precondition_failed")
    deal.refresh_from_db()
    assert deal.name == "Roof"


def test_keep_their_value_when_it_is_not_sent(cast: Cast) -> None:
    deal = a_deal(cast)

    answer = cast.api("olga").patch(path(deal), {"name": "Roof"})

    assert answer.json()["value"] == MONEY


@pytest.mark.parametrize(
    "body",
    [
        {"stage": "won"},
        {"owner": "x"},
        {"currency": "USD"},
        {"closed_on": "2026-01-01"},
        {"external_reference": "x"},
        {"id": "x"},
    ],
)
def test_are_not_changed_where_they_do_not_change(cast: Cast, body: dict[str, str]) -> None:
    deal = a_deal(cast)

    assert cast.api("olga").patch(path(deal), body).status_code == 400

    assert Deal.objects.get().version == 1


def test_in_another_currency_are_refused(cast: Cast) -> None:
    deal = a_deal(cast)

    answer = cast.api("olga").patch(path(deal), {"value": {"amount": "10.00", "currency": "USD"}})

    assert (answer.status_code, answer.json()["code"]) == (422, "deal_currency_differs")
    assert Deal.objects.get().currency == "KES"


def test_closed_ones_change_nothing_but_their_name(cast: Cast) -> None:
    deal = a_won_deal(cast)
    olga = cast.api("olga")

    assert olga.patch(path(deal), {"name": "Roof"}).status_code == 200
    refused = olga.patch(path(deal), {"value": {"amount": "1.00", "currency": "KES"}})

    assert (refused.status_code, refused.json()["code"]) == (409, "deal_closed")
    assert Deal.objects.get().value_minor == 125000


@pytest.mark.parametrize(
    ("name", "status"),
    [("paul", 404), ("oscar", 404), ("vera", 403), ("ada", 403), ("lea", 200), ("sam", 200)],
)
def test_are_changed_by_whom_the_table_says(cast: Cast, name: str, status: int) -> None:
    deal = a_deal(cast)

    answer = cast.api(name).patch(path(deal), {"name": "Roof"})

    assert answer.status_code == status
    assert Deal.objects.get().name == ("Roof" if status == 200 else "")


def test_are_won_by_a_stage_change_which_issues_the_invoice(cast: Cast) -> None:
    deal = a_deal(cast)
    client = a_client(cast)

    answer = cast.api("olga").post(
        path(deal, "stage-changes/"),
        {
            "to_stage": "won",
            "client": str(client.pk),
            "value": {"amount": "4514.00", "currency": "KES"},
            "comment": "Signed",
        },
    )

    assert answer.status_code == 201, answer.json()
    assert (answer.json()["from_stage"], answer.json()["to_stage"]) == ("prospecting", "won")
    assert Invoice.objects.get(deal=deal).total_minor == 451400


def test_a_stage_change_needs_a_key(cast: Cast) -> None:
    deal = a_deal(cast, client_id=a_client(cast).pk)

    answer = cast.api("olga").post(path(deal, "stage-changes/"), {"to_stage": "won"}, key=None)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert not Invoice.objects.exists()


def test_a_repeated_stage_change_is_answered_once_more_and_done_once(cast: Cast) -> None:
    deal = a_deal(cast, client_id=a_client(cast).pk)
    olga = cast.api("olga")

    first = olga.post(path(deal, "stage-changes/"), {"to_stage": "won"}, key="win-1")
    again = olga.post(path(deal, "stage-changes/"), {"to_stage": "won"}, key="win-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    assert Invoice.objects.count() == 1


def test_a_dry_run_shows_the_win_and_keeps_nothing(cast: Cast) -> None:
    deal = a_deal(cast, client_id=a_client(cast).pk)
    olga = cast.api("olga")
    entries = AuditEntry.objects.count()

    answer = olga.post(path(deal, "stage-changes/?dry_run=true"), {"to_stage": "won"})

    assert answer.status_code in (200, 201), answer.json()
    assert answer.json()["to_stage"] == "won"
    assert not Invoice.objects.exists()
    assert StageChange.objects.count() == 1
    assert AuditEntry.objects.count() == entries


def test_a_stage_that_cannot_follow_is_a_conflict(cast: Cast) -> None:
    deal = a_won_deal(cast)

    answer = cast.api("olga").post(path(deal, "stage-changes/"), {"to_stage": "lost"})

    assert (answer.status_code, answer.json()["code"]) == (409, "deal_stage_not_reachable")
    assert answer.json()["possible"] == []


def test_stage_changes_are_listed_with_their_deal_only(cast: Cast) -> None:
    deal, other = a_won_deal(cast), a_deal(cast)
    olga = cast.api("olga")

    rows = olga.get(path(deal, "stage-changes/")).json()["results"]

    assert [row["to_stage"] for row in rows] == ["won", "prospecting"]
    row = rows[0]["id"]
    assert olga.get(path(deal, f"stage-changes/{row}/")).status_code == 200
    assert olga.get(path(other, f"stage-changes/{row}/")).status_code == 404
    for name in ("paul", "oscar"):
        assert cast.api(name).get(path(deal, "stage-changes/")).status_code == 404


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
