"""The command that brings standard roles in line with the code."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command

from shared_apps.access import bundles
from shared_apps.access.models import Role, RolePermission
from tenants.context import tenant_context


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("setup_permissions", *arguments, stdout=said)
    return said.getvalue()


def test_changes_nothing_where_all_is_in_line(organization: Any) -> None:
    assert run("--organization", "acme") == "Acme Trading: 0 changes\n"


def test_reaches_every_organization(organization: Any, neighbour: Any) -> None:
    assert run("--all").count("0 changes") == 2


def test_mends_what_is_missing_surplus_or_of_another_scope(organization: Any) -> None:
    with tenant_context(organization):
        role = Role.objects.get(code="salesperson")
        wanted = sorted(role.grants.values_list("permission__codename", "scope"))
        changed, missing = role.grants.order_by("pk")[:2]
        RolePermission.objects.filter(pk=changed.pk).update(scope="organization")
        RolePermission.objects.filter(pk=missing.pk).delete()
        surplus = Permission.objects.get(
            codename="change_membership", content_type__app_label="access"
        )
        RolePermission.objects.create(role=role, permission=surplus, scope="organization")

    assert "-access.change_membership: organization" in run("--organization", "acme")

    with tenant_context(organization):
        assert sorted(role.grants.values_list("permission__codename", "scope")) == wanted
    assert run("--organization", "acme") == "Acme Trading: 0 changes\n"


def test_leaves_roles_of_the_organizations_own_alone(organization: Any) -> None:
    with tenant_context(organization):
        Role.objects.create(code="own", name="Own")
    run("--organization", "acme")

    with tenant_context(organization):
        assert Role.objects.filter(code="own").exists()


def test_says_when_there_is_no_such_organization(db: None) -> None:
    with pytest.raises(CommandError, match="no organization nowhere"):
        run("--organization", "nowhere")


def test_every_declared_permission_exists(tenant: Any) -> None:
    declared = {grant.permission for held in bundles.standard_grants().values() for grant in held}
    known = {
        f"{label}.{codename}"
        for label, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert declared - known == set()
