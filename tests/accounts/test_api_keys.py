"""API keys: what a machine shows in the place of a session."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared_apps.access import services as access
from shared_apps.accounts import services
from shared_apps.accounts.errors import (
    ApiKeyEnded,
    ApiKeyNotOwn,
    ApiKeyPermissionRefused,
    ApiKeyTermRefused,
    ApiKeyUnknown,
    TooManyApiKeys,
)
from shared_apps.accounts.models import ApiKey, User
from shared_apps.accounts.services import api_keys as module
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput, Forbidden
from tests.accounts.clients import HostClient
from tests.people import actor_of, machine, make_person, session_of
from tests.snapshots import changed, snapshot

ROLES, UNITS = "access.view_role", "access.view_unit"


@pytest.fixture
def ada(tenant: Any) -> User:
    return make_person("Ada Admin", role="admin")


@pytest.fixture
def acting(ada: User) -> Actor:
    return actor_of(ada).changed(session_id=session_of(ada).pk)


def issue(actor: Actor, *permissions: str, **values: Any) -> module.ShownKey:
    return services.issue_api_key(
        actor=actor, name="Till", permissions=permissions or (ROLES,), **values
    )


def caller(text: str, **defaults: Any) -> HostClient:
    client = HostClient(**defaults)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def status(text: str, path: str = "roles/", **defaults: Any) -> tuple[int, str]:
    answer = caller(text, **defaults).get(f"/api/v1/{path}")
    return answer.status_code, answer.json().get("code", "")


def test_lends_what_it_names_and_nothing_else(acting: Actor) -> None:
    shown = issue(acting, ROLES)
    assert status(shown.text) == (200, "")
    assert caller(shown.text).get("/api/v1/permissions/").status_code == 200
    assert status(shown.text, "audit-entries/") == (403, "forbidden")
    assert caller(shown.text).get("/api/v1/units/").status_code == 403


def test_keeps_only_a_hash(acting: Actor) -> None:
    shown = issue(acting)
    secret = shown.text.rpartition("_")[2]
    row = ApiKey.objects.values().get()
    assert secret not in repr(row)
    assert shown.text.split("_")[1] == row["prefix"]
    entries = repr(list(AuditEntry.objects.values()))
    assert secret not in entries
    assert row["secret_hash"] not in entries


def test_is_shown_once_by_the_api(ada: User) -> None:
    from tests.people import client_of

    client = client_of(ada)
    body = {"name": "Till", "permissions": [ROLES], "networks": ["203.0.113.7/24"]}
    answer = client.post("/api/v1/api-keys/", body, HTTP_IDEMPOTENCY_KEY="one")
    assert answer.status_code == 201, answer.json()
    shown = answer.json()
    assert shown["api_key"]["networks"] == ["203.0.113.0/24"]
    text = shown["key"]
    listed = client.get("/api/v1/api-keys/").json()["results"]
    assert [key["prefix"] for key in listed] == [text.split("_")[1]]
    assert text.rpartition("_")[2] not in repr(listed)
    # The answer is a secret, so a repetition makes another and gets no copy of the first.
    again = client.post("/api/v1/api-keys/", body, HTTP_IDEMPOTENCY_KEY="one")
    assert again.json()["key"] != text


def test_is_never_more_than_its_owner_holds_at_that_moment(acting: Actor, ada: User) -> None:
    make_person("Abe Admin", role="admin")
    shown = issue(acting, ROLES, "audit.view_auditentry")
    assert status(shown.text, "audit-entries/")[0] == 200
    held = ada.memberships.get()
    access.revoke_membership(actor=machine(), membership_id=held.pk)
    assert status(shown.text, "audit-entries/") == (403, "forbidden")
    assert status(shown.text) == (403, "forbidden")


def test_cannot_be_given_what_its_owner_does_not_hold(tenant: Any) -> None:
    sam = make_person("Sam Seller", role="salesperson")
    before = snapshot()
    with pytest.raises(Forbidden):
        issue(actor_of(sam), "deals.view_deal")
    assert changed(before) == []


@pytest.mark.parametrize(
    "permission",
    ["payments.verify_payment", "access.change_membership", "accounts.add_apikey", "no.such_thing"],
)
def test_refuses_permissions_beyond_the_owner_or_for_people(permission: str, acting: Actor) -> None:
    before = snapshot()
    with pytest.raises(ApiKeyPermissionRefused) as refusal:
        issue(acting, ROLES, permission)
    assert refusal.value.extra == {"permission": permission}
    assert changed(before) == []


def test_carries_no_right_over_people_even_if_its_row_says_so(acting: Actor, ada: User) -> None:
    shown = issue(acting)
    key = ApiKey.objects.get()
    key.permissions = ["access.add_role", "accounts.deactivate_user", "accounts.add_apikey"]
    key.save()
    colleague = make_person("Cora Colleague")
    before = snapshot()
    client = caller(shown.text)
    made = client.post("/api/v1/roles/", {"code": "mine", "name": "Mine"})
    closed = client.post(f"/api/v1/users/{colleague.pk}/deactivation/")
    assert (made.status_code, closed.status_code) == (403, 404)
    assert [table for table in changed(before) if table != "accounts_apikey"] == []


def test_works_until_its_last_instant(acting: Actor) -> None:
    start = clock.now()
    shown = issue(acting, expires_at=start + timedelta(hours=1))
    with clock.frozen(start + timedelta(minutes=59)):
        assert status(shown.text)[0] == 200
    with clock.frozen(start + timedelta(hours=1)):
        assert status(shown.text) == (401, "api_key_refused")


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_refuses_a_term_that_is_over_or_too_long(days: int, acting: Actor) -> None:
    before = snapshot()
    with clock.frozen(clock.now()), pytest.raises(ApiKeyTermRefused):
        issue(acting, expires_at=clock.now() + timedelta(days=days))
    assert changed(before) == []


@pytest.mark.parametrize("network", ["everywhere", "10.0.0.0/33", "", "1.2.3.4/255.255.0.255"])
def test_refuses_networks_that_are_none(network: str, acting: Actor) -> None:
    before = snapshot()
    with pytest.raises(BadInput):
        issue(acting, networks=[network])
    assert changed(before) == []


@pytest.mark.parametrize(
    ("network", "address", "is_in"),
    [
        ("203.0.113.0/24", "203.0.113.9", True),
        ("203.0.113.0/24", "203.0.114.9", False),
        ("203.0.113.0/24", "::ffff:203.0.113.9", True),
        ("203.0.113.0/24", "2001:db8::1", False),
        ("2001:db8::/32", "2001:db8:1::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("2001:db8::/32", "203.0.113.9", False),
    ],
)
def test_is_used_from_its_networks_only(
    network: str, address: str, is_in: bool, acting: Actor
) -> None:
    shown = issue(acting, networks=[network])
    found = status(shown.text, REMOTE_ADDR=address)
    assert found == ((200, "") if is_in else (403, "api_key_address_refused"))
    denied = AuditEntry.objects.filter(event_name="accounts.api_key_address_denied").count()
    assert denied == (0 if is_in else 1)


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(
    acting: Actor, settings: Any
) -> None:
    shown = issue(acting, networks=["203.0.113.0/24"])
    forged = {"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert status(shown.text, **forged) == (403, "api_key_address_refused")
    settings.TRUSTED_PROXIES = 1
    assert status(shown.text, **forged) == (200, "")


def test_a_denied_address_is_written_down_once_in_a_while(acting: Actor) -> None:
    shown = issue(acting, networks=["203.0.113.0/24"])
    for _ in range(5):
        status(shown.text, REMOTE_ADDR="198.51.100.1")
    denied = AuditEntry.objects.filter(event_name="accounts.api_key_address_denied")
    assert denied.count() == 1
    assert denied.get().subject_id == shown.key.pk
    assert ApiKey.objects.get().last_used_at is None


def test_shows_its_last_use(acting: Actor) -> None:
    shown = issue(acting)
    start = clock.now()
    with clock.frozen(start):
        status(shown.text, REMOTE_ADDR="203.0.113.9")
    with clock.frozen(start + timedelta(seconds=30)):
        status(shown.text, REMOTE_ADDR="203.0.113.9")
    key = ApiKey.objects.get()
    assert (key.last_used_at, key.last_used_address) == (start, "203.0.113.9")
    with clock.frozen(start + timedelta(seconds=31)):
        status(shown.text, REMOTE_ADDR="203.0.113.10")
    key.refresh_from_db()
    assert key.last_used_address == "203.0.113.10"


def rotate(actor: Actor, key: ApiKey, until: datetime) -> module.ShownKey:
    return services.rotate_api_key(actor=actor, key_id=key.pk, former_ends_at=until)


def test_rotation_lets_both_live_until_the_instant(acting: Actor) -> None:
    start = clock.now()
    with clock.frozen(start):
        former = issue(acting, ROLES, networks=["127.0.0.0/8"])
        second = rotate(acting, former.key, start + timedelta(hours=2))
    assert second.key.permissions == [ROLES]
    assert second.key.networks == ["127.0.0.0/8"]
    assert second.key.replaces_id == former.key.pk
    with clock.frozen(start + timedelta(hours=1)):
        assert status(former.text)[0] == status(second.text)[0] == 200
    with clock.frozen(start + timedelta(hours=2)):
        assert status(former.text) == (401, "api_key_refused")
        assert status(second.text)[0] == 200


def test_rotation_does_not_prolong_the_former(acting: Actor) -> None:
    start = clock.now()
    former = issue(acting, expires_at=start + timedelta(hours=1))
    rotate(acting, former.key, start + timedelta(days=1))
    former.key.refresh_from_db()
    assert former.key.expires_at == start + timedelta(hours=1)


def test_rotation_is_for_the_owner_and_for_what_lives(acting: Actor, ada: User) -> None:
    other = make_person("Abe Admin", role="admin")
    foreign = issue(actor_of(other)).key
    ended = issue(acting).key
    services.revoke_api_key(actor=acting, key_id=ended.pk)
    mine = issue(acting).key
    soon = clock.now() + timedelta(hours=1)
    before = snapshot()
    with pytest.raises(ApiKeyNotOwn):
        rotate(acting, foreign, soon)
    with pytest.raises(ApiKeyEnded):
        rotate(acting, ended, soon)
    with pytest.raises(ApiKeyTermRefused):
        rotate(acting, mine, clock.now() + timedelta(days=31))
    assert changed(before) == []


def test_revoking_ends_it_at_once(acting: Actor) -> None:
    shown = issue(acting)
    services.revoke_api_key(actor=acting, key_id=shown.key.pk)
    assert status(shown.text) == (401, "api_key_refused")
    with pytest.raises(ApiKeyEnded):
        services.revoke_api_key(actor=acting, key_id=shown.key.pk)
    assert AuditEntry.objects.filter(event_name="accounts.api_key_revoked").count() == 1


def test_an_admin_revokes_anybodys_and_others_only_their_own(acting: Actor) -> None:
    sam = make_person("Sam Seller", role="salesperson")
    lent = actor_of(sam)
    key = services.issue_api_key(
        actor=machine().changed(user_id=sam.pk), name="Till", permissions=["deals.view_deal"]
    ).key
    paul = make_person("Paul Colleague", role="salesperson")
    before = snapshot()
    with pytest.raises(ApiKeyUnknown):
        services.revoke_api_key(actor=actor_of(paul), key_id=key.pk)
    assert changed(before) == []
    services.revoke_api_key(actor=lent, key_id=key.pk)
    again = services.issue_api_key(
        actor=machine().changed(user_id=sam.pk), name="Till", permissions=["deals.view_deal"]
    ).key
    services.revoke_api_key(actor=acting, key_id=again.pk)
    assert not ApiKey.objects.filter(revoked_at__isnull=True).exists()


def test_deactivation_ends_all_keys_for_good(acting: Actor, ada: User) -> None:
    make_person("Abe Admin", role="admin")
    shown = issue(acting)
    services.deactivate_user(user_id=ada.pk, actor=machine())
    assert status(shown.text) == (401, "api_key_refused")
    services.reactivate_user(user_id=ada.pk, actor=machine())
    assert status(shown.text) == (401, "api_key_refused")


def test_nobody_hoards_keys(acting: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEYS", 2)
    issue(acting)
    issue(acting)
    before = snapshot()
    with pytest.raises(TooManyApiKeys):
        issue(acting)
    assert changed(before) == []


def test_each_key_is_counted_by_itself(acting: Actor, settings: Any) -> None:
    settings.API_RATE_LIMITS = {"api": "3/hour"}
    one, other = issue(acting), issue(acting)
    assert [status(one.text)[0] for _ in range(4)] == [200, 200, 200, 429]
    assert status(other.text)[0] == 200


def test_guesses_are_counted_by_address(tenant: Any, settings: Any) -> None:
    settings.API_RATE_LIMITS = {"api": "3/hour"}
    guess = f"kontor_{'a' * 12}_{'b' * 43}"
    assert [status(guess)[0] for _ in range(4)] == [401, 401, 401, 429]


def test_its_acts_are_written_down_with_its_id(acting: Actor, ada: User) -> None:
    shown = issue(acting, "products.add_product", "products.view_product")
    answer = caller(shown.text).post(
        "/api/v1/products/",
        {"code": "P1", "name": "Kettle", "list_price": {"amount": "1.00", "currency": "KES"}},
    )
    assert answer.status_code == 201, answer.json()
    entry = AuditEntry.objects.filter(event_name__startswith="products.").latest("id")
    assert (entry.actor_user_id, entry.session_id) == (ada.pk, shown.key.pk)


def test_issue_rotation_and_revocation_are_written_down(acting: Actor) -> None:
    shown = issue(acting)
    rotate(acting, shown.key, clock.now() + timedelta(hours=1))
    services.revoke_api_key(actor=acting, key_id=shown.key.pk)
    names = AuditEntry.objects.filter(subject_type="accounts.apikey").order_by("id")
    assert list(names.values_list("event_name", flat=True)) == [
        "accounts.api_key_issued",
        "accounts.api_key_rotated",
        "accounts.api_key_revoked",
    ]
