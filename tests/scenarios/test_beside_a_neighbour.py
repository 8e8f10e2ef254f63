"""Two organizations whose rows have the same ids do their work on one machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tenant_apps.deals.models import Deal
from tenant_apps.ledger.verification import verify
from tenant_apps.payments.models import Payment
from tenants.context import tenant_context
from tests.isolation.story import tell
from tests.snapshots import changed, snapshot

TEN = {"amount": "10.00", "currency": "KES"}
DAY = "2026-03-10"


class House:
    """One of the two, with a caller for each role, and ids of its own story."""

    def __init__(self, organization: Any, subdomain: str) -> None:
        self.organization = organization
        self.host = f"{subdomain}.kontor.test"
        self.tokens = tell(organization)
        with tenant_context(organization):
            self.deals = sorted(str(pk) for pk in Deal.objects.values_list("pk", flat=True))
            self.open_deal = str(Deal.objects.exclude(stage="won").earliest("pk").pk)
            self.waiting = str(Payment.objects.get(state="pending").pk)

    def post(self, role: str, path: str, body: Any, *, key: str = "", token: str = "") -> Any:
        return Client(HTTP_HOST=self.host, raise_request_exception=False).post(
            f"/api/v1/{path}",
            body,
            content_type="application/json",
            HTTP_AUTHORIZATION=f"Bearer {token or self.tokens[role]}",
            HTTP_IDEMPOTENCY_KEY=key or str(uuid4()),
        )

    def snapshot(self) -> dict[str, str]:
        with tenant_context(self.organization):
            return snapshot()

    def changed(self, before: dict[str, str]) -> list[str]:
        with tenant_context(self.organization):
            return changed(before)


@pytest.fixture
def houses(organization: Any, neighbour: Any) -> Iterator[tuple[House, House]]:
    both = House(organization, "acme"), House(neighbour, "neighbour")
    yield both
    for house in both:
        with tenant_context(house.organization):
            assert verify().findings == ()


def acts(house: House) -> list[tuple[str, str, Any]]:
    """What moves money, with the ids of the house."""
    return [
        (
            "salesperson",
            f"deals/{house.open_deal}/stage-changes/",
            {"to_stage": "won"},
        ),
        (
            "salesperson",
            "payments/",
            {"deal": house.open_deal, "method": "cash", "amount": TEN, "paid_on": DAY},
        ),
        ("verifier", f"payments/{house.waiting}/verification/", {}),
        ("verifier", f"payments/{house.waiting}/rejection/", {"remarks": "No."}),
    ]


def test_what_one_does_is_not_done_in_the_other(houses: tuple[House, House]) -> None:
    acme, neighbour = houses
    assert acme.deals == neighbour.deals
    assert acme.waiting == neighbour.waiting
    before, key = acme.snapshot(), str(uuid4())
    for role, path, body in acts(neighbour)[:3]:
        done = neighbour.post(role, path, body, key=key[:-1] + path[0])
        assert done.status_code == 201, done.json()
    assert acme.changed(before) == []
    # The same keys are new to the other organization, and the same ids name other rows.
    for role, path, body in acts(acme)[:3]:
        done = acme.post(role, path, body, key=key[:-1] + path[0])
        assert done.status_code == 201, done.json()
        assert "Idempotency-Replayed" not in done


def test_ids_that_only_one_has_mean_nothing_to_the_other(houses: tuple[House, House]) -> None:
    acme, neighbour = houses
    told = {"value": TEN, "name": "Acme's alone"}
    acme.open_deal = acme.post("salesperson", "deals/", told).json()["id"]
    with tenant_context(acme.organization):
        client = str(Deal.objects.filter(client__isnull=False).earliest("pk").client_id)
    done = acme.post(
        "salesperson",
        f"deals/{acme.open_deal}/stage-changes/",
        {"to_stage": "won", "client": client},
    )
    assert done.status_code == 201, done.json()
    paid = {"deal": acme.open_deal, "method": "cash", "amount": TEN, "paid_on": DAY}
    acme.waiting = acme.post("salesperson", "payments/", paid).json()["id"]

    mine, theirs = acme.snapshot(), neighbour.snapshot()
    for role, path, body in acts(acme):
        refused = neighbour.post(role, path, body)
        # In an address it is not found; in a body it is no deal that anybody here could name.
        assert refused.status_code == (400 if path == "payments/" else 404), refused.json()
        assert "Acme" not in refused.content.decode()
    assert acme.changed(mine) == []
    assert neighbour.changed(theirs) == []


def test_a_session_of_one_is_a_stranger_in_the_other(houses: tuple[House, House]) -> None:
    acme, neighbour = houses
    mine, theirs = acme.snapshot(), neighbour.snapshot()
    for role, path, body in acts(neighbour):
        for token in (acme.tokens[role], acme.tokens["admin"]):
            refused = neighbour.post(role, path, body, token=token)
            assert (refused.status_code, refused.json()["code"]) == (401, "token_invalid")
    assert acme.changed(mine) == []
    assert neighbour.changed(theirs) == []
