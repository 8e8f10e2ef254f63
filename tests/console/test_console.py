"""Super-admins with a second factor see organizations and may suspend, resume, change plans."""

import re
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from shared_apps.access.actors import system_actor
from shared_apps.accounts import services as accounts
from shared_apps.accounts.models import AttemptCounter, User
from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail, MailState
from shared_apps.kernel import clock, invariants
from shared_apps.kernel.actor import Actor, AllowsEverything
from shared_apps.kernel.invariants import Finding, Invariant, Reading
from tenant_apps.invariants.services import watch
from tenant_apps.ledger.selectors import books_stop
from tenants.context import platform_context, tenant_context
from tenants.models import Organization

PASSWORD = "a quiet platform evening"
SYSTEM = Actor(request_id="test", label="system:test", checker=AllowsEverything())


def super_admin() -> User:
    with platform_context(reason="test"):
        accounts.create_super_admin(
            email="root@kontor.test", full_name="Root", password=PASSWORD, actor=SYSTEM
        )
        user: User = User.objects.get(email="root@kontor.test")
        return user


def code() -> str:
    with platform_context(reason="test"):
        device = TOTPDevice.objects.get(confirmed=True)
        totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
        TOTPDevice.objects.update(last_t=-1, throttling_failure_count=0)
    return f"{totp.token():06d}"


def sign_in(client: Client, **changes: str) -> Any:
    told = {"username": "root@kontor.test", "password": PASSWORD, "code": code(), **changes}
    return client.post("/admin/login/?next=/admin/", told)


@pytest.fixture
def console(organization: Organization) -> Client:
    super_admin()
    return Client(HTTP_HOST="kontor.test", raise_request_exception=False)


@pytest.mark.parametrize(
    "changes",
    [{"code": "000000"}, {"code": ""}, {"password": "wrong"}, {"username": "x@y.example"}],
)
def test_asks_for_address_password_and_second_factor(
    console: Client, changes: dict[str, str]
) -> None:
    assert sign_in(console, **changes).status_code == 200
    assert console.get("/admin/").status_code == 302


WRONG = [
    {"code": "000000"},
    {"code": "aaaa-bbbb-cccc-dddd"},
    {"password": "wrong"},
    {"password": "wrong", "code": "000000"},
    {"username": "x@y.example"},
]


def test_says_the_same_whatever_is_wrong(console: Client) -> None:
    """Else a wrong code would confirm the password."""
    pages = set()
    for changes in WRONG:
        form = sign_in(console, **changes).context["form"]
        pages.add(str(form.errors.as_data()))
    # The device waits after wrong codes, which is not told either.
    with platform_context(reason="test"):
        TOTPDevice.objects.update(
            throttling_failure_count=9, throttling_failure_timestamp=clock.now()
        )
    told = {"username": "root@kontor.test", "password": PASSWORD, "code": "000000"}
    form = Client(HTTP_HOST="kontor.test").post("/admin/login/", told).context["form"]
    assert pages == {str(form.errors.as_data())}


def statements(changes: dict[str, str]) -> list[str]:
    """What a refused attempt asks of the database: verbs and tables, without values."""
    told = {"username": "root@kontor.test", "password": PASSWORD, "code": "000000", **changes}
    with CaptureQueriesContext(connection) as asked:
        Client(HTTP_HOST="kontor.test").post("/admin/login/", told)
    written = [re.sub(r"^SET .*?; ", "", query["sql"]) for query in asked]
    return [
        " ".join(re.findall(r"(?:FROM|INTO|UPDATE) \"?\w+", sql))
        for sql in written
        if not sql.startswith(("SAVEPOINT", "RELEASE"))
    ]


def test_does_the_same_work_whatever_is_wrong(console: Client) -> None:
    for code_tried in ("000000", "aaaa-bbbb-cccc-dddd"):
        with platform_context(reason="test"):
            TOTPDevice.objects.update(throttling_failure_count=0)
            AttemptCounter.objects.all().delete()
        wrong_code = statements({"code": code_tried})
        wrong_password = statements({"code": code_tried, "password": "wrong"})
        nobody = statements({"code": code_tried, "username": "x@y.example"})
        waiting = statements({"code": code_tried})
        assert sum("otp_totp" in one for one in wrong_code) == 2
        assert wrong_code == wrong_password == nobody == waiting


def test_wrong_codes_count_like_wrong_passwords(console: Client) -> None:
    for _ in range(5):
        sign_in(console, code="000000")
    assert sign_in(console).status_code == 200
    assert console.get("/admin/").status_code == 302


def test_a_form_without_a_code_lets_nobody_in(console: Client) -> None:
    with platform_context(reason="test"):
        request = RequestFactory().post("/admin/login/", HTTP_HOST="kontor.test")
        assert authenticate(request, username="root@kontor.test", password=PASSWORD) is None


def test_shows_organizations_with_plan_usage_and_state(console: Client) -> None:
    assert sign_in(console).status_code == 302
    assert console.get("/admin/").status_code == 200
    page = console.get("/admin/tenants/organization/")
    assert page.status_code == 200
    assert b"Acme Trading" in page.content
    assert b"acme.kontor.test" in page.content
    assert b"users" in page.content


@pytest.mark.parametrize("name", ["plan", "signup", "spareschema", "user", "entry"])
def test_every_list_opens(console: Client, name: str) -> None:
    sign_in(console)
    from shared_apps.console.sites import site

    for model in site._registry:
        if model._meta.model_name.endswith(name):
            path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            assert console.get(path).status_code == 200
            assert console.get(f"{path}add/").status_code == 403


def test_suspends_and_resumes_with_a_reason_that_is_kept(
    console: Client, organization: Organization
) -> None:
    sign_in(console)
    page = f"/admin/tenants/organization/{organization.id}/suspension/"
    assert console.get(page).status_code == 200
    assert console.post(page, {"reason": " "}).status_code == 422
    with platform_context(reason="test"):
        assert Organization.objects.get(id=organization.id).state == "trial"
    assert console.post(page, {"reason": "unpaid since June"}).status_code == 302
    assert console.post(page, {"reason": "twice"}).status_code == 422
    with platform_context(reason="test"):
        assert Organization.objects.get(id=organization.id).state == "suspended"
        entry = AuditEntry.objects.get(event_name="onboarding.organization_suspended")
        assert entry.payload["reason"] == "unpaid since June"
        assert entry.actor_user_id == User.objects.get().id
    again = page.replace("suspension", "resumption")
    assert console.post(again, {"reason": "paid"}).status_code == 302
    with platform_context(reason="test"):
        assert Organization.objects.get(id=organization.id).state == "active"


def test_changes_the_plan(console: Client, organization: Organization) -> None:
    sign_in(console)
    page = f"/admin/tenants/organization/{organization.id}/plan/"
    assert console.post(page, {"plan": "growth", "reason": "upgrade"}).status_code == 302
    assert console.post(page, {"plan": "nothing", "reason": "upgrade"}).status_code == 422
    with platform_context(reason="test"):
        changed = Organization.objects.get(id=organization.id)
        assert (changed.plan_code, changed.entitlements["quotas"]["users"]) == ("growth", 50)


def test_a_changed_password_is_audited(console: Client) -> None:
    assert sign_in(console).status_code == 302
    new = "another quiet evening"
    told = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    page = "/admin/password_change/"
    assert console.post(page, {**told, "old_password": "wrong"}).status_code == 200
    too_long = dict.fromkeys(told, "many words " * 12) | {"old_password": PASSWORD}
    assert console.post(page, too_long).status_code == 200
    assert console.post(page, told).status_code == 302
    assert console.get("/admin/").status_code == 200
    with platform_context(reason="test"):
        user = User.objects.get()
        assert user.check_password(new)
        entry = AuditEntry.objects.get(event_name="accounts.password_changed")
        assert entry.actor_user_id == user.id


def test_nobody_else_comes_in(console: Client, organization: Organization) -> None:
    pages = [
        "/admin/",
        "/admin/tenants/organization/",
        f"/admin/tenants/organization/{organization.id}/suspension/",
    ]
    for page in pages:
        assert console.get(page).status_code == 302
        assert console.post(page, {"reason": "none"}).status_code in (302, 403)
    with tenant_context(organization):
        User.objects.create(email="root@kontor.test", full_name="Namesake", is_staff=False)
    for page in pages:
        answer = Client(HTTP_HOST="acme.kontor.test", raise_request_exception=False).get(page)
        assert answer.status_code == 404
    with platform_context(reason="test"):
        assert Organization.objects.get(id=organization.id).state == "trial"


def test_shows_an_organizations_mails_that_reached_nobody(
    console: Client, organization: Organization, neighbour: Organization
) -> None:
    with tenant_context(organization):
        Mail.objects.create(
            template="password_reset", to="asha@acme.example", is_secret=True, state=MailState.LOST
        )
        Mail.objects.create(template="kettle", to="sent@acme.example", state=MailState.SENT)
    sign_in(console)
    page = console.get(f"/admin/tenants/organization/{organization.id}/mails/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "password reset" in text
    assert "a…@acme.example" in text
    assert "Lost" in text
    assert "asha@acme.example" not in text
    assert "kettle" not in text
    other = console.get(f"/admin/tenants/organization/{neighbour.id}/mails/")
    assert "password reset" not in other.content.decode()
    assert console.get(f"/admin/tenants/organization/{organization.id}/change/").status_code == 200
    assert console.get(f"/admin/tenants/organization/{User().pk}/mails/").status_code == 404


def test_shows_the_platforms_mails_without_their_text(console: Client) -> None:
    with platform_context(reason="test"):
        mail = Mail.objects.create(
            template="kettle", to="x@y.example", text="hidden words", state=MailState.FAILED
        )
    sign_in(console)
    assert b"kettle" in console.get("/admin/delivery/mail/").content
    page = console.get(f"/admin/delivery/mail/{mail.pk}/change/")
    assert page.status_code == 200
    assert b"hidden words" not in page.content
    assert b"Mails that reached nobody" in console.get("/admin/").content


def test_says_when_the_servers_could_not_be_told(
    console: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(console)
    page = f"/admin/tenants/organization/{organization.id}/suspension/"
    # Here nothing commits, so nobody is told; Redis holds the former row.
    assert Client(HTTP_HOST="acme.kontor.test").get("/api/v1/deals/").status_code == 401
    shown = console.post(page, {"reason": "unpaid"}, follow=True)
    assert b"could not be told at once" in shown.content


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("suspension", "Suspend"),
        ("resumption", "Resume"),
        ("plan", "Change plan"),
        ("restart", "Start the books again"),
        ("invariants", "Invariants"),
        ("mails", "Mails that reached nobody"),
    ],
)
def test_every_page_names_what_it_is_about(
    console: Client, organization: Organization, name: str, title: str
) -> None:
    sign_in(console)
    page = console.get(f"/admin/tenants/organization/{organization.id}/{name}/")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page.content.decode())
    assert heading is not None
    assert heading[1] == f"{title}: {organization.name}"


def test_shows_how_invariants_stand_and_starts_stopped_books(
    console: Client, organization: Organization
) -> None:
    system = system_actor("test")
    kettle: list[Finding] = [Finding(rule="water stays in", subject="kettle", detail="1250.00")]
    invariants.register(
        Invariant(
            name="tests.kettle",
            title="Water stays in the kettle.",
            concerns="ledger",
            check=lambda *, since: Reading(findings=kettle),
        )
    )
    try:
        with tenant_context(organization):
            watch(actor=system)
        sign_in(console)
        detail = f"/admin/tenants/organization/{organization.id}"
        shown = console.get(f"{detail}/change/").content
        assert b"tests.kettle is red, the books are stopped" in shown
        listed = console.get("/admin/tenants/organization/").content
        assert b"tests.kettle is red, the books are stopped" in listed
        page = console.get(f"{detail}/invariants/").content
        assert b"Water stays in the kettle." in page
        assert b"water stays in" in page
        assert b"1250.00" not in page, "no figures of the organization"
        refused = console.post(f"{detail}/restart/", {"reason": "Now."})
        assert refused.status_code == 422
        assert b"Still broken" in refused.content
        kettle.clear()
        with tenant_context(organization):
            watch(actor=system)
        assert console.post(f"{detail}/restart/", {"reason": "Mopped up."}).status_code == 302
        with tenant_context(organization):
            assert books_stop() is None
            entry = AuditEntry.objects.get(event_name="ledger.postings_started")
        assert entry.actor_roles == ["super_admin"]
    finally:
        invariants.unregister("tests.kettle")
