"""Credit limits over HTTP."""

from typing import Any

import pytest

from shared_apps.kernel.ids import uuid7
from tenant_apps.invoices.models import Invoice
from tenant_apps.limits.models import CreditLimit, LimitOverride
from tenants.context import tenant_context
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, kes, path
from tests.limits.stories import (
    a_limit,
    a_limited_client,
    an_override,
    approval_of,
    tomorrow,
    used,
    win,
)


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "KES"}


def limit_of(amount: str = "1000.00", **values: Any) -> dict[str, Any]:
    body = {"currency": "KES", "amount": money(amount), "mode": "refuse", "reason": "Good payers."}
    return {**body, **values}


def test_a_limit_is_set_and_shown_with_what_is_left(cast: Cast) -> None:
    client = a_client(cast)
    win(cast, client, "400.00")
    sam = cast.api("sam")

    made = sam.post(f"clients/{client.pk}/credit-limits/", limit_of())

    assert made.status_code == 201, made.json()
    assert (made.json()["state"], made.json()["amount"]) == ("in_force", money("1000.00"))
    shown = cast.api("olga").get(f"clients/{client.pk}/credit-positions/")
    assert shown.json() == [
        {
            "client": str(client.pk),
            "currency": "KES",
            "limit": money("1000.00"),
            "mode": "refuse",
            "used": money("400.00"),
            "held": money("0.00"),
            "available": money("600.00"),
            "effective_on": tomorrow(0).isoformat(),
            "next_limit_on": None,
        }
    ]
    history = sam.get(f"clients/{client.pk}/credit-limits/?state=in_force").json()["results"]
    assert [row["id"] for row in history] == [made.json()["id"]]


def test_a_dry_run_of_a_limit_keeps_nothing(cast: Cast) -> None:
    client = a_client(cast)
    answer = cast.api("sam").post(f"clients/{client.pk}/credit-limits/?dry_run=true", limit_of())

    assert answer.status_code in (200, 201), answer.json()
    assert not CreditLimit.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": money("-1.00")},
        {"amount": money("1.001")},
        {"amount": money("NaN")},
        {"amount": money("1e400")},
        {"amount": money("9" * 40)},
        {"amount": {"amount": 5, "currency": "KES"}},
        {"amount": {"amount": "5.00", "currency": "USD"}},
        {"amount": {"amount": "5.00", "currency": "XXX"}},
        {"currency": "XXQ"},
        {"mode": "maybe"},
        {"reason": ""},
        {"effective_on": "2020-01-01"},
        {"colour": "red"},
    ],
)
def test_a_wrong_limit_is_bad_input(cast: Cast, wrong: dict[str, Any]) -> None:
    client = a_client(cast)
    answer = cast.api("sam").post(f"clients/{client.pk}/credit-limits/", limit_of(**wrong))

    assert answer.status_code == 400, answer.json()
    assert not CreditLimit.objects.exists()


def test_winning_above_a_limit_is_refused_and_says_how_to_mend_it(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00")
    deal = a_deal(cast, client_id=client.pk, value=kes("1250.00"))
    olga = cast.api("olga")

    answer = olga.post(path(deal, "stage-changes/"), {"to_stage": "won"}, key="win")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "credit_limit_exceeded")
    assert (problem["limit"], problem["wanted"], problem["above"]) == (
        money("1000.00"), money("1250.00"), money("250.00"),
    )  # fmt: skip
    assert not Invoice.objects.exists()
    deal.refresh_from_db()
    assert deal.stage == "prospecting"

    asked = olga.post(
        "credit-limit-overrides/",
        {
            "client": str(client.pk),
            "deal": str(deal.pk),
            "amount": problem["above"],
            "valid_until": tomorrow().isoformat(),
            "reason": "Their bank confirmed.",
        },
    )
    assert (asked.status_code, asked.json()["state"]) == (201, "requested")
    override = LimitOverride.objects.get()
    signature = f"approvals/{approval_of(override)}/signature/"
    assert olga.post(signature, {}).status_code == 403
    assert cast.api("sam").post(signature, {}).status_code == 201

    again = olga.post(path(deal, "stage-changes/"), {"to_stage": "won"}, key="win")

    assert again.status_code == 201, again.json()
    (warning,) = again.json()["credit_warnings"]
    assert (warning["cause"], warning["used"]) == ("overridden", money("1250.00"))
    shown = olga.get(f"credit-limit-overrides/{override.pk}/").json()
    assert (shown["state"], shown["used_by"]) == ("used", str(Invoice.objects.get().pk))
    assert used(client) == kes("1250.00")


def test_winning_above_a_limit_that_warns_is_answered_with_the_warning(cast: Cast) -> None:
    client = a_limited_client(cast, "1000.00", "warn")
    deal = a_deal(cast, client_id=client.pk, value=kes("1250.00"))

    answer = cast.api("olga").post(path(deal, "stage-changes/"), {"to_stage": "won"})

    assert answer.status_code == 201
    assert answer.json()["credit_warnings"] == [
        {
            "cause": "warned",
            "limit": money("1000.00"),
            "used": money("1250.00"),
            "reason": "The limit only warns.",
        }
    ]
    (overrun,) = cast.api("sam").get(f"credit-overruns/?client={client.pk}").json()["results"]
    assert (overrun["cause"], overrun["deal"]) == ("warned", str(deal.pk))


def test_within_the_limit_there_is_nothing_to_warn_of(cast: Cast) -> None:
    client = a_limited_client(cast, "2000.00")
    deal = a_deal(cast, client_id=client.pk, value=kes("1250.00"))
    answer = cast.api("olga").post(path(deal, "stage-changes/"), {"to_stage": "won"})

    assert answer.json()["credit_warnings"] == []


def test_overrides_are_seen_by_whom_they_concern(cast: Cast) -> None:
    client = a_limited_client(cast, "100.00")
    an_override(cast, client, "50.00", approved=False)

    def seen(who: str) -> int:
        return len(cast.api(who).get("credit-limit-overrides/?state=requested").json()["results"])

    counts = {who: seen(who) for who in ("olga", "lea", "sam", "paul", "oscar")}
    assert counts == {"olga": 1, "lea": 1, "sam": 1, "paul": 0, "oscar": 0}


def test_lists_ask_as_often_for_twenty_as_for_one(cast: Cast) -> None:
    client = a_limited_client(cast, "1.00", "warn")
    sam = cast.api("sam")
    lists = (
        f"clients/{client.pk}/credit-limits/", f"clients/{client.pk}/credit-positions/",
        "credit-limit-overrides/", "credit-overruns/",
    )  # fmt: skip
    # What is cached is cached by now.
    sam.get(lists[0])
    counts: list[list[int]] = []
    for more in (1, 19):
        for _ in range(more):
            a_limit(cast, client, "1.00", "warn")
            an_override(cast, client, "50.00", approved=False)
            win(cast, client, "10.00")
        row = []
        for address in lists:
            assert sam.get(address).status_code == 200
            row.append(len(sam.statements))
        counts.append(row)
    assert counts[0] == counts[1]


def test_a_stranger_has_no_credit_here(cast: Cast, neighbour: Any) -> None:
    client = a_limited_client(cast, "1000.00")
    override = an_override(cast, client, "5.00")
    sam = cast.api("sam")

    assert sam.get(f"clients/{uuid7()}/credit-positions/").status_code == 404
    assert sam.post(f"clients/{uuid7()}/credit-limits/", limit_of()).status_code == 404
    elsewhere = cast.api("sam", host="neighbour.kontor.test")
    for address in (
        f"clients/{client.pk}/credit-limits/",
        f"credit-limit-overrides/{override.pk}/",
    ):
        assert elsewhere.get(address).status_code == 401
    with tenant_context(neighbour):
        assert not CreditLimit.objects.exists()
        assert not LimitOverride.objects.exists()
