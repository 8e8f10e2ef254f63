"""What somebody tries with an API key: forged, borrowed, carried elsewhere, or used as a person."""

from __future__ import annotations

from typing import Any

import pytest

from shared_apps.accounts import services
from shared_apps.accounts.models import ApiKey, User
from shared_apps.kernel.api.throttling import RateLimit
from tenants.context import tenant_context
from tests.accounts.clients import HostClient
from tests.accounts.test_every_route_is_closed import METHODS, VISITORS, address_of, routes
from tests.people import PASSWORD, actor_of, machine, make_person
from tests.snapshots import changed, snapshot

# The own rights, and what the key's one permission shows.
OPEN = {"get api/v1/me/permissions/", "get api/v1/units/"}


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)


@pytest.fixture
def ada(tenant: Any) -> User:
    return make_person("Ada Admin", role="admin")


def key_of(person: User, *permissions: str) -> services.ShownKey:
    return services.issue_api_key(
        actor=actor_of(person), name="Till", permissions=permissions or ("access.view_unit",)
    )


def holder(text: str, *, host: str = "acme.kontor.test", scheme: str = "Bearer") -> HostClient:
    client = HostClient(host)
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {text}")
    return client


def test_a_key_of_an_admin_opens_nothing_but_its_scope(ada: User) -> None:
    """Every route and method, called with the key of somebody who may do nearly everything."""
    client = holder(key_of(ada).text)
    before = snapshot()
    opened = set()
    for route in routes():
        if route in VISITORS or "documents/" in route:
            continue
        for method in METHODS:
            answer = getattr(client, method)(address_of(route), HTTP_IDEMPOTENCY_KEY="k-1")
            # Without a body, what is sent is often refused before anybody asks who sends it.
            refused = {401, 403, 404, 405} | (set() if method == "get" else {400})
            if answer.status_code in refused:
                continue
            # Lists that are open to everybody who is signed in have nothing for this key.
            if answer.status_code != 200 or answer.json().get("results") != []:
                opened.add(f"{method} {route}")
    assert opened == OPEN
    # It was seen, and that is all.
    assert set(changed(before)) <= {"accounts_apikey"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "auth/password/change/", {"old_password": PASSWORD}),
        ("get", "auth/user/", None),
        ("post", "auth/logout/", None),
        ("patch", "v1/profile/", {"full_name": "Mallory"}),
        ("get", "v1/sessions/", None),
        ("delete", "v1/sessions/", None),
        ("get", "v1/second-factor/", None),
        ("post", "v1/second-factor/enrolment/", {"password": PASSWORD}),
        ("post", "v1/second-factor/removal/", {"password": PASSWORD}),
        ("post", "v1/second-factor/recovery-codes/", {"password": PASSWORD}),
        ("post", "v1/second-factor/verification/", {"code": "000000"}),
        ("get", "v1/api-keys/", None),
        ("post", "v1/api-keys/", {"name": "Child", "permissions": ["access.view_unit"]}),
        ("post", "v1/live-tickets/", None),
        ("get", "v1/step-up/", None),
        ("post", "v1/step-up/", {"password": PASSWORD}),
        ("patch", "v1/security-settings/", {"step_up_minutes": 60}),
    ],
)
def test_a_key_is_no_person(method: str, path: str, body: Any, ada: User) -> None:
    client = holder(key_of(ada).text)
    before = snapshot()
    answer = getattr(client, method)(f"/api/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_for_api_keys")
    assert set(changed(before)) <= {"accounts_apikey"}


def test_a_key_neither_rotates_nor_revokes_itself_or_others(ada: User) -> None:
    shown, other = key_of(ada), key_of(ada)
    client = holder(shown.text)
    before = snapshot()
    for key in (shown.key, other.key):
        rotated = client.post(
            f"/api/v1/api-keys/{key.pk}/rotation/", {"former_ends_at": "2030-01-01T00:00:00Z"}
        )
        revoked = client.delete(f"/api/v1/api-keys/{key.pk}/")
        assert rotated.json()["code"] == revoked.json()["code"] == "not_for_api_keys"
    assert set(changed(before)) <= {"accounts_apikey"}
    assert not ApiKey.objects.filter(revoked_at__isnull=False).exists()


def test_a_key_of_one_organization_opens_no_other(ada: User, neighbour: Any) -> None:
    shown = key_of(ada)
    assert holder(shown.text).get("/api/v1/units/").status_code == 200
    answer = holder(shown.text, host="neighbour.kontor.test").get("/api/v1/units/")
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_refused")


def test_a_row_copied_to_another_organization_opens_nothing(ada: User, neighbour: Any) -> None:
    shown = key_of(ada)
    row = ApiKey.objects.values().get(pk=shown.key.pk)
    with tenant_context(neighbour):
        bert = make_person("Bert Admin", role="admin")
        ApiKey.objects.create(**{**row, "user_id": bert.pk})
        before = snapshot()
    answer = holder(shown.text, host="neighbour.kontor.test").get("/api/v1/units/")
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_refused")
    with tenant_context(neighbour):
        assert changed(before) == []


def test_a_key_opens_nothing_on_the_platform(ada: User) -> None:
    answer = holder(key_of(ada).text, host="kontor.test").get("/api/v1/units/")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "bend",
    [
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text.upper(),
        lambda text: text.replace("kontor_", "kontor__"),
        lambda text: "kontor_",
        lambda text: "kontor_" + "x" * 100_00,
        lambda text: text.split("_")[0] + "_" + "a" * 12 + "_" + text.split("_", 2)[2],
        lambda text: text + "\u00e9",
        lambda text: text + "%00",
    ],
)
def test_a_bent_key_opens_nothing(bend: Any, ada: User) -> None:
    text = bend(key_of(ada).text)
    before = snapshot()
    answer = holder(text).get("/api/v1/units/")
    assert answer.status_code == 401
    assert answer.json()["code"] in {"api_key_refused", "token_invalid"}
    assert changed(before) == []


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Api-Key"])
def test_a_key_under_another_scheme_is_nobody(scheme: str, ada: User) -> None:
    answer = holder(key_of(ada).text, scheme=scheme).get("/api/v1/units/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_key_in_the_address_is_nobody(ada: User) -> None:
    answer = HostClient().get(f"/api/v1/units/?access_token={key_of(ada).text}")
    assert answer.status_code == 401


def test_rights_read_again_under_a_lock_stay_narrow(ada: User) -> None:
    """Changes of rights read the actor's again: a key's must not become its owner's."""
    from shared_apps.access.actors import renewed
    from shared_apps.access.checker import AccessChecker

    actor = actor_of(ada)
    checker = actor.checker
    assert isinstance(checker, AccessChecker)
    narrow = actor.changed(
        checker=AccessChecker(checker.access.narrowed(frozenset({"access.view_unit"})))
    )
    again = renewed(narrow)
    assert again.allows("access.view_unit")
    assert not again.allows("access.change_membership")


def test_a_grant_on_one_record_is_not_lent_along(tenant: Any) -> None:
    """Grants stand beside roles: a key without the permission does not get at them either."""
    from shared_apps.access import services as access
    from tests.cast import assemble
    from tests.deals.stories import a_client, a_deal

    cast = assemble()
    deal = a_deal(cast, client_id=a_client(cast).pk)
    oscar = cast.user("oscar")
    access.grant_object(
        actor=cast.system, user_id=oscar.pk, permission="deals.view_deal", subject=deal
    )
    shown = [
        services.issue_api_key(
            actor=machine().changed(user_id=oscar.pk), name="Till", permissions=[permission]
        )
        for permission in ("deals.view_deal", "products.view_product")
    ]
    found = [holder(one.text).get(f"/api/v1/deals/{deal.pk}/").status_code for one in shown]
    assert found == [200, 404]
