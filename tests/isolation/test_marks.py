"""Two organizations with equal primary keys. No mark of one ever stands in what the other says.

Every readable route is asked, with every id that stands in the database, as every role, on both
hosts; then mails, outbox, audit, logs and files are searched.
"""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from shared_apps.outbox.models import OutboxMessage
from tenants.context import platform_context, tenant_context
from tenants.models import Organization
from tests.isolation.story import ROLES, mark_of, tell

HOSTS = {"t_test_acme": "acme.kontor.test", "t_test_neighbour": "neighbour.kontor.test"}
PARAMETER = re.compile(r"<uuid:(\w+)>")


def readable_routes() -> list[str]:
    """Every route of an organization's host that answers GET."""

    def walk(resolver: Any, prefix: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            path = prefix + str(entry.pattern)
            if isinstance(entry, URLPattern):
                actions = getattr(entry.callback, "actions", None)
                view = getattr(entry.callback, "view_class", None) or getattr(
                    entry.callback, "cls", None
                )
                if "get" in (actions or {}) or (actions is None and hasattr(view, "get")):
                    yield "/" + path
            else:
                yield from walk(entry, path)

    return sorted(set(walk(get_resolver("config.urls_tenant"), "")))


def ids_in_the_schema() -> dict[str, list[str]]:
    """Primary keys by table: they are the same in both organizations."""
    found = {}
    for model in apps.get_models():
        label = model._meta.app_label
        config = apps.get_app_config(label)
        if not config.name.startswith(("tenant_apps.", "shared_apps.")):
            continue
        has_uuid = model._meta.pk.get_internal_type() == "UUIDField"
        if config.name in settings.TENANT_APPS and has_uuid:
            ids = [str(pk) for pk in model._default_manager.values_list("pk", flat=True)[:2]]
            if ids:
                found[model._meta.db_table] = ids
    return found


def paths(ids: list[str]) -> Iterator[str]:
    for route in readable_routes():
        names = PARAMETER.findall(route)
        if not names:
            yield route
        elif len(names) == 1:
            for pk in ids:
                yield PARAMETER.sub(pk, route)


@pytest.fixture
def told(real_commits: Organization) -> dict[str, tuple[Organization, dict[str, str]]]:
    from tests.conftest import _organization

    both = (real_commits, _organization("neighbour"))
    return {each.schema_name: (each, tell(each)) for each in both}


def test_both_organizations_have_the_same_primary_keys(told: Any) -> None:
    keys = []
    for organization, _ in told.values():
        with tenant_context(organization):
            keys.append(ids_in_the_schema())
    for table in ("deals_deal", "payments_payment", "parties_party", "accounts_user"):
        assert keys[0][table] == keys[1][table]
        assert keys[0][table]


@pytest.mark.slow
def test_no_mark_of_one_stands_in_what_the_other_says(
    told: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    first = told["t_test_acme"][0]
    with tenant_context(first):
        tables = ids_in_the_schema()
    ids = sorted({pk for found in tables.values() for pk in found})
    assert len(ids) > 40
    seen_own = 0
    answered = 0
    for schema_name, (organization, tokens) in told.items():
        other = next(each for name, (each, _) in told.items() if name != schema_name)
        own, foreign = mark_of(organization), mark_of(other)
        # The roles that see most ask for every id; the others for the lists.
        for role in ROLES:
            client = Client(HTTP_HOST=HOSTS[schema_name], raise_request_exception=False)
            wanted = paths(ids) if role == "admin" else paths([])
            for path in wanted:
                response = client.get(path, HTTP_AUTHORIZATION=f"Bearer {tokens[role]}")
                assert response.status_code < 500, (path, response.content[:300])
                text = b"".join(response) if response.streaming else response.content
                head = json.dumps(dict(response.items()))
                assert foreign.encode() not in text, (role, path)
                assert foreign not in head, (role, path)
                answered += response.status_code == 200
                seen_own += own.encode() in text
    assert answered > 200
    assert seen_own > 60, "the crawl reads marked data"
    # A log line names ids, never texts: neither mark stands in one.
    for organization, _ in told.values():
        assert mark_of(organization) not in caplog.text


def test_no_mark_stands_in_the_others_outbox_audit_or_mail(told: Any) -> None:
    from shared_apps.audit.models import AuditEntry

    for schema_name, (organization, _) in told.items():
        other = next(each for name, (each, _) in told.items() if name != schema_name)
        foreign = mark_of(other)
        with tenant_context(organization):
            assert OutboxMessage.objects.exists()
            for model in (OutboxMessage, AuditEntry):
                assert foreign not in json.dumps(list(model.objects.values()), default=str)
    with platform_context(reason="test"):
        for model in (OutboxMessage, AuditEntry):
            everything = json.dumps(list(model.objects.values()), default=str)
            for organization, _ in told.values():
                assert mark_of(organization) not in everything
    for message in mail.outbox:
        marks = {o.schema_name for o, _ in told.values() if mark_of(o) in str(message.message())}
        assert len(marks) <= 1


def test_no_table_of_one_schema_holds_a_mark_of_the_other(told: Any) -> None:
    """The whole schema as text: whatever a service wrote, it wrote in its own organization."""
    for schema_name, (organization, _) in told.items():
        other = next(each for name, (each, _) in told.items() if name != schema_name)
        with tenant_context(organization), connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
                " AND relkind = 'r'"
            )
            tables = [row[0] for row in cursor.fetchall()]
            assert len(tables) > 40
            for table in tables:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" AS rows WHERE rows::text LIKE %s',
                    [f"%{mark_of(other)}%"],
                )
                assert cursor.fetchone() == (0,), table


def test_a_token_of_one_is_refused_by_the_other(told: Any) -> None:
    for schema_name, (_, tokens) in told.items():
        strange = next(host for name, host in HOSTS.items() if name != schema_name)
        for role in ROLES:
            client = Client(HTTP_HOST=strange, raise_request_exception=False)
            for path in ("/api/v1/deals/", "/api/v1/profile/", "/api/v1/payments/"):
                answer = client.get(path, HTTP_AUTHORIZATION=f"Bearer {tokens[role]}")
                assert answer.status_code == 401, (role, path)


def test_files_of_one_lie_apart(told: Any) -> None:
    """A stored document's path begins with the organization's id, and so does nobody else's."""
    from shared_apps.documents.models import Document

    root = Path(settings.STORAGE_URL.removeprefix("file://"))
    for schema_name, (organization, tokens) in told.items():
        client = Client(HTTP_HOST=HOSTS[schema_name], raise_request_exception=False)
        listed = client.get("/api/v1/invoices/", HTTP_AUTHORIZATION=f"Bearer {tokens['admin']}")
        invoice = listed.json()["results"][0]["id"]
        printed = client.get(
            f"/api/v1/invoices/{invoice}/pdf/", HTTP_AUTHORIZATION=f"Bearer {tokens['admin']}"
        )
        assert printed.status_code < 400, printed.content[:300]
        with tenant_context(organization):
            for document in Document.objects.all():
                assert str(organization.id) in document.storage_path
                assert (root / document.storage_path).exists() or root.exists()
