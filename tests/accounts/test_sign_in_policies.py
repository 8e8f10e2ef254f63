"""What is asked beside the password: policies by role, and codes by e-mail and SMS."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import TestCase

from shared_apps.accounts import second_factor, services
from shared_apps.accounts.errors import PolicyExists, SmsUnavailable
from shared_apps.accounts.models import Session, SignInCode, SignInPolicy, User
from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail, Sms
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden
from tests.accounts.authenticators import code_of, enrol
from tests.accounts.clients import HostClient
from tests.people import PASSWORD, actor_of, machine, make_person
from tests.snapshots import changed, snapshot

BASE = "/api/v1/second-factor/"
PHONE = "+254712345678"


@pytest.fixture
def sam(tenant: Any) -> User:
    person = make_person("Sam Seller", role="salesperson")
    person.phone = PHONE
    person.save(update_fields=["phone"])
    return person


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.SMS_FILE_PATH = str(tmp_path)
    return tmp_path


def ask(role: str, factor: str) -> SignInPolicy:
    return services.add_sign_in_policy(actor=machine(), role=role, factor=factor)


def sign_in(person: User, **defaults: Any) -> tuple[HostClient, dict[str, Any]]:
    client = HostClient(**defaults)
    answer = client.post("/api/token/", {"email": person.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.json()
    return client.carrying(answer.json()["access"]), answer.json()


def sent(client: HostClient, channel: str = "email") -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return client.post(f"{BASE}codes/", {"channel": channel})


def mailed_code() -> str:
    found = re.search(r"\b([0-9]{6})\b", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def verify(client: HostClient, code: str) -> tuple[int, str]:
    answer = client.post(f"{BASE}verification/", {"code": code})
    return answer.status_code, answer.json()["code"] if answer.content else ""


def comes_in(client: HostClient) -> bool:
    return bool(client.get("/api/auth/user/").status_code == 200) and bool(
        client.get("/api/v1/deals/").status_code == 200
    )


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_without_a_policy_the_password_is_enough(sam: User) -> None:
    client, answer = sign_in(sam)
    assert answer["second_factor"] == "settled"
    assert comes_in(client)


def test_a_code_by_mail_settles_the_session(sam: User) -> None:
    ask("", "email_code")
    client, answer = sign_in(sam)
    assert answer["second_factor"] == "to_verify"
    assert not comes_in(client)
    assert client.get(BASE).json()["channels"] == ["email"]
    assert sent(client).status_code == 204
    assert verify(client, mailed_code()) == (204, "")
    assert comes_in(client)
    assert Session.objects.get().second_factor_at is not None


def test_a_code_by_sms_settles_the_session(sam: User, folder: Path) -> None:
    ask("salesperson", "sms_code")
    client, _ = sign_in(sam)
    assert sent(client, "sms").status_code == 204
    (message,) = folder.iterdir()
    text = message.read_text()
    assert text.startswith(f"To: {PHONE}\n")
    code = re.search(r"\n([0-9]{6}) is your", text)
    assert code is not None
    assert verify(client, code[1]) == (204, "")
    logged = Sms.objects.get()
    assert (logged.state, logged.to, logged.template) == ("sent", PHONE, "sign_in_code")


def test_neither_code_nor_text_is_kept(sam: User) -> None:
    ask("", "email_code")
    client, _ = sign_in(sam)
    sent(client)
    code = mailed_code()
    kept = repr(list(SignInCode.objects.values())) + repr(list(Mail.objects.values()))
    assert code not in kept
    entries = AuditEntry.objects.exclude(event_name="").values_list("payload", flat=True)
    assert code not in repr(list(entries))


def test_a_code_works_once(sam: User) -> None:
    ask("", "email_code")
    client, _ = sign_in(sam)
    sent(client)
    code = mailed_code()
    assert verify(client, code)[0] == 204
    assert not SignInCode.objects.exists()
    other, _ = sign_in(sam)
    assert verify(other, code) == (400, "second_factor_wrong")
    assert not comes_in(other)


def test_a_code_belongs_to_its_session(sam: User) -> None:
    ask("", "email_code")
    client, _ = sign_in(sam)
    thief, _ = sign_in(sam)
    sent(client)
    assert verify(thief, mailed_code()) == (400, "second_factor_wrong")
    assert not comes_in(thief)
    assert verify(client, mailed_code())[0] == 204


def test_a_code_belongs_to_its_person(sam: User) -> None:
    ask("", "email_code")
    paul = make_person("Paul Colleague", role="salesperson")
    client, _ = sign_in(sam)
    stranger, _ = sign_in(paul)
    sent(client)
    sent_code = mailed_code()
    sent(stranger)
    if mailed_code() != sent_code:
        assert verify(stranger, sent_code) == (400, "second_factor_wrong")
        assert not comes_in(stranger)


def test_a_code_lives_five_minutes(sam: User) -> None:
    ask("", "email_code")
    client, _ = sign_in(sam)
    sent(client)
    # The token would be over as well: the service is asked.
    session = Session.objects.get()
    actor = Actor(request_id="test", user_id=sam.pk, session_id=session.pk)
    with clock.frozen(clock.now() + timedelta(minutes=5, seconds=1)):
        assert not _tried(actor, mailed_code())
    assert services.delete_expired() == 0
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        services.delete_expired()
    assert not SignInCode.objects.exists()
    assert Session.objects.get().second_factor_at is None


def _tried(actor: Actor, code: str) -> bool:
    from shared_apps.accounts.errors import SecondFactorWrong

    try:
        services.verify_second_factor(code=code, actor=actor)
    except SecondFactorWrong:
        return False
    return True


def test_a_new_code_ends_the_former(sam: User) -> None:
    ask("", "email_code")
    client, _ = sign_in(sam)
    sent(client)
    former = mailed_code()
    sent(client)
    assert SignInCode.objects.count() == 1
    if mailed_code() != former:
        assert verify(client, former)[0] == 400
    assert verify(client, mailed_code())[0] == 204


def test_five_wrong_codes_end_the_right_one(sam: User) -> None:
    ask("", "email_code")
    client, _ = sign_in(sam)
    sent(client)
    code = mailed_code()
    for _ in range(5):
        assert verify(client, other_than(code)) == (400, "second_factor_wrong")
    assert not SignInCode.objects.exists()
    assert verify(client, code) == (400, "second_factor_wrong")
    assert not comes_in(client)
    failed = AuditEntry.objects.filter(event_name="accounts.second_factor_failed")
    assert failed.count() == 6


def test_guessing_is_counted_over_codes_and_sessions(sam: User) -> None:
    ask("", "email_code")
    found = []
    for _ in range(4):
        client, _ = sign_in(sam)
        sent(client)
        found += [verify(client, other_than(mailed_code()))[0] for _ in range(4)]
    assert found == [400] * 15 + [429]
    assert verify(client, mailed_code()) == (429, "too_many_attempts")
    assert not comes_in(client)


def test_nobodys_mailbox_is_flooded(sam: User) -> None:
    ask("", "email_code")
    client, _ = sign_in(sam)
    assert [sent(client).status_code for _ in range(6)] == [204] * 5 + [429]
    assert len(mail.outbox) == 5


@pytest.mark.parametrize(
    ("policies", "factor"),
    [
        ({"": "password", "salesperson": "password"}, "password"),
        ({"": "email_code"}, "email_code"),
        ({"": "email_code", "salesperson": "password"}, "email_code"),
        ({"": "code", "salesperson": "email_code"}, "email_code"),
        ({"": "sms_code", "salesperson": "email_code"}, "sms_code"),
        ({"": "sms_code", "salesperson": "totp"}, "totp"),
        ({"verifier": "totp"}, "password"),
        ({"verifier": "totp", "salesperson": "code"}, "code"),
    ],
)
def test_the_strictest_of_ones_roles_counts(
    policies: dict[str, str], factor: str, sam: User
) -> None:
    for role, asked in policies.items():
        ask(role, asked)
    assert second_factor.factor_for(sam) == factor


def test_an_authenticator_is_to_be_enrolled_where_it_is_asked_for(sam: User) -> None:
    ask("salesperson", "totp")
    client, answer = sign_in(sam)
    assert answer["second_factor"] == "to_enrol"
    assert not comes_in(client)
    begun = client.post(f"{BASE}enrolment/", {"password": PASSWORD}).json()
    confirmed = client.post(f"{BASE}enrolment/confirmation/", {"code": code_of(begun["secret"])})
    assert confirmed.status_code == 201
    assert comes_in(client)
    # And cannot be given up while it is asked for.
    given_up = client.post(f"{BASE}removal/", {"password": PASSWORD})
    assert given_up.json()["code"] == "second_factor_demanded"


def test_an_authenticator_stands_for_a_code(sam: User) -> None:
    ask("", "sms_code")
    secret, _ = enrol(sam, actor=machine())
    client, answer = sign_in(sam)
    assert answer["second_factor"] == "to_verify"
    assert client.get(BASE).json()["channels"] == []
    refused = sent(client)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_code_asked")
    assert verify(client, code_of(secret, steps=1))[0] == 204
    assert comes_in(client)


def test_the_password_alone_enrols_nothing_in_the_place_of_a_code(sam: User) -> None:
    ask("", "email_code")
    client, _ = sign_in(sam)
    before = snapshot()
    answer = client.post(f"{BASE}enrolment/", {"password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert set(changed(before)) <= {"accounts_attemptcounter"}
    assert not comes_in(client)


def test_without_a_phone_an_authenticator_takes_the_place_of_sms(sam: User) -> None:
    sam.phone = ""
    sam.save(update_fields=["phone"])
    ask("", "sms_code")
    client, answer = sign_in(sam)
    assert answer["second_factor"] == "to_enrol"
    assert client.post(f"{BASE}enrolment/", {"password": PASSWORD}).status_code == 201


def test_a_channel_that_is_not_allowed_is_refused(sam: User, folder: Path) -> None:
    ask("", "sms_code")
    client, _ = sign_in(sam)
    before = snapshot()
    answer = sent(client, "email")
    assert (answer.status_code, answer.json()["code"]) == (409, "channel_refused")
    assert answer.json()["channels"] == ["sms"]
    assert set(changed(before)) <= {"accounts_attemptcounter"}
    assert not mail.outbox
    assert not list(folder.iterdir())


def test_a_reset_does_not_bypass_the_code(sam: User) -> None:
    ask("", "email_code")
    token = services.one_time_secrets.issue(
        user=sam, purpose=services.one_time_secrets.Purpose.RESET
    )
    services.reset_password(
        token=token, new_password="an entirely different sentence", actor=machine()
    )
    client = HostClient()
    answer = client.post(
        "/api/token/", {"email": sam.email, "password": "an entirely different sentence"}
    )
    assert answer.json()["second_factor"] == "to_verify"
    assert not comes_in(client.carrying(answer.json()["access"]))


def test_a_login_code_does_not_bypass_the_code(sam: User) -> None:
    ask("", "email_code")
    code = services.issue_login_code(user_id=sam.pk, actor=machine())
    client = HostClient()
    answer = client.post("/api/v1/login-codes/redemption/", {"code": code})
    assert answer.json()["second_factor"] == "to_verify"
    assert not comes_in(client.carrying(answer.json()["access"]))


def test_a_change_takes_effect_at_the_next_sign_in(sam: User) -> None:
    before, _ = sign_in(sam)
    policy = ask("", "email_code")
    assert comes_in(before)
    after, _ = sign_in(sam)
    assert not comes_in(after)
    services.change_sign_in_policy(actor=machine(), policy_id=policy.pk, factor="password")
    assert not comes_in(after)
    assert comes_in(sign_in(sam)[0])


def test_changes_are_written_down(sam: User) -> None:
    policy = ask("", "email_code")
    services.change_sign_in_policy(actor=machine(), policy_id=policy.pk, factor="totp")
    services.change_sign_in_policy(actor=machine(), policy_id=policy.pk, factor="totp")
    services.remove_sign_in_policy(actor=machine(), policy_id=policy.pk)
    entries = AuditEntry.objects.filter(event_name="accounts.sign_in_policy_changed")
    found = [
        (entry.payload["former_factor"], entry.payload["factor"])
        for entry in entries.order_by("id")
    ]
    assert found == [("", "email_code"), ("email_code", "totp"), ("totp", "")]


def refused(act: Callable[[], Any], error: type[Exception]) -> None:
    before = snapshot()
    with pytest.raises(error):
        act()
    assert changed(before) == []


def test_only_whoever_may_changes_policies(sam: User) -> None:
    policy = ask("", "totp")
    actor = actor_of(sam)
    refused(
        lambda: services.add_sign_in_policy(actor=actor, role="verifier", factor="password"),
        Forbidden,
    )
    refused(
        lambda: services.change_sign_in_policy(actor=actor, policy_id=policy.pk, factor="password"),
        Forbidden,
    )
    refused(lambda: services.remove_sign_in_policy(actor=actor, policy_id=policy.pk), Forbidden)


def test_there_is_one_policy_for_a_role(tenant: Any) -> None:
    ask("verifier", "totp")
    refused(lambda: ask("verifier", "password"), PolicyExists)


def test_sms_is_not_asked_for_where_none_can_be_sent(tenant: Any, settings: Any) -> None:
    settings.SMS_INTO_FOLDER = False
    refused(lambda: ask("", "sms_code"), SmsUnavailable)
    policy = ask("", "email_code")
    refused(
        lambda: services.change_sign_in_policy(
            actor=machine(), policy_id=policy.pk, factor="sms_code"
        ),
        SmsUnavailable,
    )


def test_no_policy_keeps_admins_out(tenant: Any, settings: Any) -> None:
    """They show an authenticator whatever the policies say, and need no provider for it."""
    ask("", "sms_code")
    ask("admin", "email_code")
    settings.SMS_INTO_FOLDER = False
    ada = make_person("Ada Admin", role="admin")
    secret, _ = enrol(ada, actor=machine())
    client, _ = sign_in(ada)
    assert verify(client, code_of(secret, steps=1))[0] == 204
    answer = client.get("/api/v1/sign-in-policies/")
    assert answer.status_code == 200
    for policy in answer.json()["results"]:
        assert client.delete(f"/api/v1/sign-in-policies/{policy['id']}/").status_code == 204


def test_a_policy_never_weakens_what_administration_asks(tenant: Any) -> None:
    ask("admin", "password")
    ask("", "email_code")
    ada = make_person("Ada Admin", role="admin")
    client, answer = sign_in(ada)
    assert answer["second_factor"] == "to_enrol"
    assert sent(client).json()["code"] == "no_code_asked"
    assert client.get("/api/v1/roles/").status_code == 403


def test_a_code_by_mail_does_not_do_for_somebody_who_administers_since(sam: User) -> None:
    from shared_apps.access import services as access
    from shared_apps.access.selectors import root_unit

    ask("", "email_code")
    client, _ = sign_in(sam)
    sent(client)
    assert verify(client, mailed_code())[0] == 204
    assert comes_in(client)
    access.grant_membership(actor=machine(), user_id=sam.pk, unit_id=root_unit().pk, role="admin")
    answer = client.get("/api/v1/roles/")
    assert answer.json()["code"] == "second_factor_enrolment_required"
    begun = client.post(f"{BASE}enrolment/", {"password": PASSWORD}).json()
    client.post(f"{BASE}enrolment/confirmation/", {"code": code_of(begun["secret"])})
    assert client.get("/api/v1/roles/").status_code == 200


def test_an_unknown_role_is_refused(tenant: Any) -> None:
    from tests.people import client_of

    client = client_of(make_person("Ada Admin", role="admin"))
    before = snapshot()
    answer = client.post("/api/v1/sign-in-policies/", {"role": "nobodys", "factor": "totp"})
    assert answer.status_code == 400
    assert changed(before) == []


def test_what_a_code_settled_is_open_again_once_an_authenticator_is_enrolled(sam: User) -> None:
    ask("", "email_code")
    thief, _ = sign_in(sam)
    sent(thief)
    assert verify(thief, mailed_code())[0] == 204
    own, _ = sign_in(sam)
    sent(own)
    waiting = mailed_code()
    enrol(sam, actor=machine())
    assert not comes_in(thief)
    # Nor does a code that was sent before stand for the authenticator.
    assert verify(own, waiting)[0] == 400
    assert not comes_in(own)
    assert not Session.objects.filter(second_factor_at__isnull=False).exists()


def test_where_sms_ceased_to_be_sent_mail_takes_its_place(
    sam: User, settings: Any, folder: Path
) -> None:
    ask("salesperson", "sms_code")
    settings.SMS_URL, settings.SMS_INTO_FOLDER = "", False
    client, _ = sign_in(sam)
    assert client.get(BASE).json()["channels"] == ["email"]
    assert sent(client).status_code == 204
    assert verify(client, mailed_code()) == (204, "")
