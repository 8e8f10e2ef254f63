"""A visitor opens an organization, step by step, each of which may be repeated."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from shared_apps.access.actors import system_actor
from shared_apps.accounts.models import User
from shared_apps.idempotency.models import IdempotencyKey
from shared_apps.kernel import clock, ids
from shared_apps.onboarding.models import HeldSubdomain, SignUp, SignUpState
from shared_apps.onboarding.services import resume_sign_ups
from shared_apps.onboarding.subdomains import RESERVED, check_subdomain, skeleton
from tenants import fleet
from tenants.context import platform_context, tenant_context
from tenants.models import Organization, SpareSchema

FACTS = {
    "name": "Baobab Traders",
    "legal_name": "Baobab Traders Limited",
    "subdomain": "baobab",
    "country": "KE",
    "tax_number": "P051234567B",
    "base_currency": "KES",
    "time_zone": "Africa/Nairobi",
    "fiscal_year_start_month": 7,
    "fiscal_year_start_day": 1,
    "admin_name": "Amina Owner",
    "admin_email": "amina@baobab.example",
    "password": "a long and quiet evening",
}
HOST = "kontor.test"


@pytest.fixture
def visitor(real_commits: Organization) -> Client:
    return Client(HTTP_HOST=HOST, raise_request_exception=False)


@pytest.fixture
def passer_by(organization: Organization) -> Client:
    """A visitor whose request is rolled back after the test."""
    return Client(HTTP_HOST=HOST, raise_request_exception=False)


def ask(visitor: Client, **changes: Any) -> Any:
    return visitor.post("/api/v1/signup/", {**FACTS, **changes}, content_type="application/json")


def mailed_token() -> str:
    found = re.search(r"token=([\w-]+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def verify(visitor: Client, token: str, **more: str) -> Any:
    return visitor.post(
        "/api/v1/signup/verification/",
        {"token": token, "password": FACTS["password"], **more},
        content_type="application/json",
    )


def test_from_the_form_to_the_first_admin(visitor: Client) -> None:
    answer = ask(visitor)
    assert answer.status_code == 202, answer.content
    assert answer.json()["state"] == "requested"
    with platform_context(reason="test"):
        assert not Organization.objects.filter(name="Baobab Traders").exists()

    landing = verify(visitor, mailed_token())
    assert landing.status_code == 200, landing.content
    assert landing.json()["address"] == "http://baobab.kontor.test"

    with platform_context(reason="test"):
        organization = Organization.objects.get(domains__domain="baobab.kontor.test")
        sign_up = SignUp.objects.get()
        assert (organization.state, organization.plan_code) == ("trial", "starter")
        assert str(organization.id) == landing.json()["organization"]
        assert sign_up.state == SignUpState.READY
        assert sign_up.password_hash == ""
    with tenant_context(organization):
        admin = User.objects.get()
        assert admin.email == "amina@baobab.example"
        assert admin.check_password(FACTS["password"])

    own = Client(HTTP_HOST="baobab.kontor.test")
    code = landing.json()["login_code"]
    entered = own.post(
        "/api/v1/login-codes/redemption/", {"code": code}, content_type="application/json"
    )
    assert entered.status_code in (200, 201), entered.content
    again = own.post(
        "/api/v1/login-codes/redemption/", {"code": code}, content_type="application/json"
    )
    assert 400 <= again.status_code < 500


def test_the_code_of_one_organization_lands_in_no_other(visitor: Client) -> None:
    ask(visitor)
    code = verify(visitor, mailed_token()).json()["login_code"]
    stranger = Client(HTTP_HOST="neighbour.kontor.test")
    answer = stranger.post(
        "/api/v1/login-codes/redemption/", {"code": code}, content_type="application/json"
    )
    assert 400 <= answer.status_code < 500


def test_verifying_twice_makes_one_organization(visitor: Client) -> None:
    ask(visitor)
    token = mailed_token()
    first, second = verify(visitor, token), verify(visitor, token)
    assert first.json()["organization"] == second.json()["organization"]
    with platform_context(reason="test"):
        assert Organization.objects.filter(name="Baobab Traders").count() == 1
        assert HeldSubdomain.objects.count() == 1
        assert SpareSchema.objects.count() == 1


def test_an_empty_pool_is_said_and_the_sign_up_goes_on_later(visitor: Client) -> None:
    with platform_context(reason="test"):
        spares = list(SpareSchema.objects.all())
        SpareSchema.objects.all().delete()
    ask(visitor)
    token = mailed_token()
    waiting = verify(visitor, token)
    assert waiting.status_code == 503
    assert waiting["Retry-After"] == "5"
    with platform_context(reason="test"):
        assert SignUp.objects.get().state == SignUpState.VERIFIED
        assert HeldSubdomain.objects.count() == 0
        assert not Organization.objects.filter(name="Baobab Traders").exists()
        SpareSchema.objects.bulk_create(spares)
        assert resume_sign_ups(actor=system_actor("test")) == 1
        assert Organization.objects.filter(name="Baobab Traders").exists()


def test_a_sign_up_that_cannot_be_finished_does_not_hold_up_the_next(visitor: Client) -> None:
    for subdomain in ("baobab", "acacia"):
        ask(visitor, subdomain=subdomain, admin_email=f"amina@{subdomain}.example")
    with platform_context(reason="test"):
        SignUp.objects.update(state=SignUpState.VERIFIED, verified_at=clock.now())
        SignUp.objects.filter(subdomain="baobab").update(plan_code="withdrawn")
        assert resume_sign_ups(actor=system_actor("test")) == 1
        assert HeldSubdomain.objects.get().subdomain == "acacia"


def test_a_crash_leaves_no_half_organization(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared_apps.onboarding.services import provisioning

    ask(visitor)
    token = mailed_token()

    def crash(**kwargs: Any) -> None:
        raise MemoryError("the process is killed here")

    with monkeypatch.context() as patch:
        patch.setattr(provisioning, "install_first_admin", crash)
        assert verify(visitor, token).status_code == 500
    with platform_context(reason="test"):
        assert not Organization.objects.filter(name="Baobab Traders").exists()
        assert SpareSchema.objects.filter(fingerprint=fleet.fingerprint()).count() == 2
        assert HeldSubdomain.objects.count() == 0
    assert verify(visitor, token).status_code == 200


def test_a_link_works_for_a_day(visitor: Client) -> None:
    ask(visitor)
    token = mailed_token()
    with clock.frozen(clock.now() + timedelta(hours=25)):
        assert verify(visitor, token).status_code == 422
    with platform_context(reason="test"):
        assert SignUp.objects.get().state == SignUpState.REQUESTED


def test_a_forged_link_is_refused(visitor: Client) -> None:
    ask(visitor)
    assert verify(visitor, "A" * 43).status_code == 404


def test_the_slower_of_two_chooses_another_subdomain(visitor: Client) -> None:
    ask(visitor)
    first = mailed_token()
    ask(visitor, admin_email="other@elsewhere.example")
    second = mailed_token()
    assert verify(visitor, first).status_code == 200
    refused = verify(visitor, second)
    assert refused.status_code == 409
    assert refused.json()["code"] == "subdomain_taken"
    assert verify(visitor, second, subdomain="palmgrove").status_code == 200


def test_asked_again_it_is_one_sign_up_and_the_former_link_is_dead(visitor: Client) -> None:
    ask(visitor)
    former = mailed_token()
    ask(visitor, name="Baobab Traders East")
    assert mailed_token() != former
    with platform_context(reason="test"):
        assert SignUp.objects.get().name == "Baobab Traders East"
    assert verify(visitor, former).status_code == 404


def test_a_stranger_cannot_put_a_password_of_his_own_behind_the_owners_link(
    visitor: Client,
) -> None:
    ask(visitor)
    own = mailed_token()
    ask(visitor, password="the stranger's own secret")
    strange = mailed_token()
    with platform_context(reason="test"):
        assert SignUp.objects.count() == 2
    assert verify(visitor, strange).status_code == 403
    assert verify(visitor, strange, password="").status_code == 400
    with platform_context(reason="test"):
        assert not Organization.objects.filter(name="Baobab Traders").exists()
    assert verify(visitor, own).status_code == 200
    assert verify(visitor, own, password="the stranger's own secret").status_code == 403


def test_an_address_is_not_flooded_with_links(visitor: Client) -> None:
    for number in range(5):
        assert ask(visitor, subdomain=f"baobab-{'abcde'[number]}x").status_code == 202
    sent = len(mail.outbox)
    refused = ask(visitor, subdomain="baobab-last")
    assert refused.status_code == 429
    assert refused["Retry-After"]
    assert len(mail.outbox) == sent


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subdomain", "www"),
        ("subdomain", "adm1n"),
        ("subdomain", "rn-ail"),
        ("subdomain", "xn--80ak6aa92e"),
        ("subdomain", "a"),
        ("subdomain", "two--hyphens"),
        ("subdomain", "ends-"),
        ("subdomain", "with.dot"),
        ("subdomain", "ünder"),
        ("country", "ZZ"),
        ("base_currency", "XXL"),
        ("time_zone", "Mars/Olympus"),
        ("fiscal_year_start_month", 13),
        ("fiscal_year_start_day", 0),
        ("admin_email", "nobody"),
        ("password", "short"),
        ("password", "password1234"),
        ("name", ""),
        ("name", "x" * 201),
        ("surprise", "field"),
    ],
)
def test_refuses_bad_input_and_keeps_nothing(passer_by: Client, field: str, value: Any) -> None:
    answer = ask(passer_by, **{field: value})
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert any(field in error["pointer"] for error in answer.json()["errors"])
    with platform_context(reason="test"):
        assert SignUp.objects.count() == 0
    assert mail.outbox == []


def test_refuses_what_the_database_cannot_hold(passer_by: Client) -> None:
    assert ask(passer_by, name="a\u0000b").status_code == 400
    assert ask(passer_by, name=["a"]).status_code == 400
    assert ask(passer_by, fiscal_year_start_month=10**30).status_code == 400


def test_reserved_names_would_all_be_addresses() -> None:
    for word in RESERVED:
        check_subdomain(word, reserved_too=True) if len(word) > 2 else None


def test_the_eye_is_not_deceived() -> None:
    assert skeleton("rnail-vvorks") == skeleton("mail-works") == skeleton("mai1works")
    assert skeleton("baobab") != skeleton("baobob")


def test_the_page_behind_the_link_acts_only_when_the_button_is_pressed(visitor: Client) -> None:
    ask(visitor)
    token = mailed_token()
    shown = visitor.get("/signup/verification/", {"token": token})
    assert shown.status_code == 200
    with platform_context(reason="test"):
        assert SignUp.objects.get().state == SignUpState.REQUESTED
    pressed = visitor.post("/signup/verification/", {"token": token, "password": FACTS["password"]})
    assert pressed.status_code == 200
    assert b"Baobab Traders is ready" in pressed.content


def test_a_subdomain_can_be_asked_about(passer_by: Client) -> None:
    assert passer_by.get("/api/v1/signup/subdomains/baobab/").json()["available"] is True
    assert passer_by.get("/api/v1/signup/subdomains/admin/").json()["available"] is False


def with_key(visitor: Client, key: str, **changes: Any) -> Any:
    return visitor.post(
        "/api/v1/signup/",
        {**FACTS, **changes},
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def test_a_repeated_request_gets_the_first_answer_and_no_second_mail(visitor: Client) -> None:
    first = with_key(visitor, "k-1")
    again = with_key(visitor, "k-1")
    assert (first.status_code, again.status_code) == (202, 202), again.content
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert len(mail.outbox) == 1
    with platform_context(reason="test"):
        assert SignUp.objects.count() == 1


@pytest.mark.parametrize("changes", [{"name": "Other"}, {"password": "another long evening"}])
def test_a_key_stands_for_one_request(passer_by: Client, changes: dict[str, str]) -> None:
    assert with_key(passer_by, "k-1").status_code == 202
    other = with_key(passer_by, "k-1", **changes)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


def test_two_visitors_who_choose_one_key_do_not_meet(passer_by: Client) -> None:
    assert with_key(passer_by, "1").status_code == 202
    other = with_key(passer_by, "1", admin_email="other@baobab.example", subdomain="acacia")
    assert other.status_code == 202
    assert "Idempotency-Replayed" not in other


def test_a_visitor_is_one_however_the_address_is_spelled(passer_by: Client) -> None:
    assert with_key(passer_by, "k-1").status_code == 202
    again = with_key(passer_by, "k-1", admin_email=str(FACTS["admin_email"]).upper())
    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")


def test_what_is_kept_of_a_request_tells_nothing_of_the_password(passer_by: Client) -> None:
    with_key(passer_by, "k-1")
    with platform_context(reason="test"):
        row = IdempotencyKey.objects.get()
    bare = ids.request_hash({"query": [], "body": FACTS})
    assert row.request_hash != bare
    assert str(FACTS["password"]) not in f"{row.body}{row.headers}"


@pytest.mark.parametrize(
    "email", [None, 5, ["a"], {"a": 1}, "", "\ud800@x.example", "a\x00@b.example"]
)
def test_a_key_with_a_malformed_address_is_bad_input(passer_by: Client, email: Any) -> None:
    refused = with_key(passer_by, "k-1", admin_email=email)
    assert refused.status_code == 400, refused.content
    for body in ("[]", '"text"', "5", "null", "{"):
        answer = passer_by.post(
            "/api/v1/signup/",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "k-1"},
        )
        assert answer.status_code == 400
    with platform_context(reason="test"):
        assert not IdempotencyKey.objects.exists()


def test_the_link_may_be_followed_again_with_or_without_a_key(visitor: Client) -> None:
    """Its answer is a login code, which no key keeps."""
    ask(visitor)
    token = mailed_token()
    told = {"token": token, "password": FACTS["password"]}
    codes = []
    for _ in range(2):
        answer = visitor.post(
            "/api/v1/signup/verification/",
            told,
            content_type="application/json",
            headers={"Idempotency-Key": "k-1"},
        )
        assert answer.status_code == 200
        assert "Idempotency-Replayed" not in answer
        codes.append(answer.json()["login_code"])
    assert codes[0] != codes[1]
    with platform_context(reason="test"):
        assert not IdempotencyKey.objects.exists()


def test_the_links_token_stays_where_it_is(
    visitor: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ask(visitor)
    token = mailed_token()
    page = visitor.get("/signup/verification/", {"token": token})
    done = visitor.post(
        "/signup/verification/", {"token": token, "password": str(FACTS["password"])}
    )
    for answer in (page, done):
        assert answer.status_code == 200
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "no-store"
    assert "/signup/verification/" in caplog.text
    assert token not in caplog.text


def test_the_links_token_alone_opens_nothing(visitor: Client) -> None:
    ask(visitor)
    token = mailed_token()
    for password in ("", "a guess of a stranger"):
        told = {"token": token, "password": password}
        assert visitor.post("/signup/verification/", told).status_code == 403
    with platform_context(reason="test"):
        assert SignUp.objects.get().state == SignUpState.REQUESTED
