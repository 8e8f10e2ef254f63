"""What every organization starts with."""

from typing import Any

from shared_apps.access.actors import system_actor
from shared_apps.access.bundles import STANDARD_ROLES
from shared_apps.access.models import Role, Unit
from shared_apps.access.services import sync_standard_roles


def test_one_root_unit_bears_the_organizations_name(tenant: Any) -> None:
    root = Unit.objects.get()

    assert root.is_root
    assert root.name == tenant.name
    assert root.path == f"{root.pk.hex}/"


def test_all_standard_roles_stand(tenant: Any) -> None:
    assert set(Role.objects.values_list("code", flat=True)) == set(STANDARD_ROLES)


def test_a_second_sync_changes_nothing(tenant: Any, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(6):
        assert sync_standard_roles(actor=system_actor("test")) == []
