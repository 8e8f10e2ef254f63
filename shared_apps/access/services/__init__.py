"""The only writer of units, roles, memberships and object grants."""

from shared_apps.access.services.grants import SHARE, grant_object, grant_objects, revoke_object
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
from shared_apps.access.services.people import (
    FirstRole,
    deactivate_person,
    invite_person,
    reactivate_person,
    resend_invitation,
    reset_second_factor,
    withdraw_invitation,
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
    "SHARE",
    "FirstRole",
    "GrantOfRole",
    "NewMembership",
    "add_unit",
    "change_role",
    "create_role",
    "deactivate_person",
    "grant_membership",
    "grant_memberships",
    "grant_object",
    "grant_objects",
    "install_first_admin",
    "invite_person",
    "move_unit",
    "place_member",
    "reactivate_person",
    "remove_role",
    "rename_unit",
    "resend_invitation",
    "reset_second_factor",
    "revoke_membership",
    "revoke_memberships",
    "revoke_object",
    "sync_standard_roles",
    "withdraw_invitation",
    "withdraw_member",
]
