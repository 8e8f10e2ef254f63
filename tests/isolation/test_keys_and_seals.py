"""Cache keys, signed values and content types belong to one organization."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.cache import cache
from django.db import connection

from tenants.context import no_tenant_context, platform_context, tenant_context
from tenants.errors import NoTenant
from tenants.models import Organization
from tenants.signing import sign, unsign


def test_a_cached_value_is_not_shared(organization: Organization, neighbour: Organization) -> None:
    with tenant_context(organization):
        cache.set("key", "of acme")
    with tenant_context(neighbour):
        assert cache.get("key") is None
    with platform_context(reason="test"):
        assert cache.get("key") is None
    with tenant_context(organization):
        assert cache.get("key") == "of acme"
    with no_tenant_context(), pytest.raises(NoTenant):
        cache.get("key")


def test_a_seal_holds_in_one_organization_for_one_purpose(
    organization: Organization, neighbour: Organization
) -> None:
    day = timedelta(days=1)
    with tenant_context(organization):
        sealed = sign({"id": 1}, purpose="download")
        assert unsign(sealed, purpose="download", max_age=day) == {"id": 1}
        with pytest.raises(signing.BadSignature):
            unsign(sealed, purpose="reset", max_age=day)
        with pytest.raises(signing.BadSignature):
            changed = sealed[:-1] + ("A" if sealed[-1] != "A" else "B")
            unsign(changed, purpose="download", max_age=day)
    with tenant_context(neighbour), pytest.raises(signing.BadSignature):
        unsign(sealed, purpose="download", max_age=day)
    with platform_context(reason="test"), pytest.raises(signing.BadSignature):
        unsign(sealed, purpose="download", max_age=day)
    with no_tenant_context(), pytest.raises(NoTenant):
        sign({"id": 1}, purpose="download")


def test_content_types_are_those_of_the_schema_that_is_served(real_commits: Organization) -> None:
    """Ids differ between schemas; with threads the library's one cache mixes them."""
    from tests.conftest import _organization

    neighbour = _organization("neighbour")
    expected = {}
    for each in (real_commits, neighbour):
        with tenant_context(each):
            row = ContentType.objects.filter(app_label="accounts", model="user").values("pk")
            expected[each.schema_name] = row[0]["pk"]
    with platform_context(reason="test"):
        public = ContentType.objects.get_for_model(Permission).pk
        assert ContentType.objects.get_for_model(Permission).pk == public

    wrong: list[str] = []

    def look(organization: Organization) -> None:
        from shared_apps.accounts.models import User

        try:
            for _ in range(300):
                with tenant_context(organization):
                    found = ContentType.objects.get_for_model(User).pk
                    if found != expected[organization.schema_name]:
                        wrong.append(organization.schema_name)
        finally:
            connection.close()

    threads = [threading.Thread(target=look, args=(o,)) for o in (real_commits, neighbour) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
