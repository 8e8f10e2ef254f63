"""Deals move from stage to stage through the API."""

from shared_apps.audit.models import AuditEntry
from tenant_apps.deals.models import StageChange
from tenant_apps.invoices.models import Invoice
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, a_won_deal, path


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
