"""The only writer of units, roles, memberships and object grants."""

from shared_apps.access.services.grants import grant_object, grant_objects, revoke_object
from shared_apps.access.services.memberships import (
    NewMembership,
    grant_membership,
    grant_memberships,
    install_first_admin,
    place_member,
    revoke_membership,
    revoke_memberships,
    withdraw_member,
)
from shared_apps.access.services.roles import (
    GrantOfRole,
    change_role,
    create_role,
    remove_role,
    sync_standard_roles,
)
from shared_apps.access.services.units import add_unit, move_unit, rename_unit

__all__ = [
    "GrantOfRole",
    "NewMembership",
    "add_unit",
    "change_role",
    "create_role",
    "grant_membership",
    "grant_memberships",
    "grant_object",
    "grant_objects",
    "install_first_admin",
    "move_unit",
    "place_member",
    "remove_role",
    "rename_unit",
    "revoke_membership",
    "revoke_memberships",
    "revoke_object",
    "sync_standard_roles",
    "withdraw_member",
]
