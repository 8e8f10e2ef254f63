"""The only writer of units, roles, memberships and object grants."""

from .grants import grant_object, grant_objects, revoke_object
from .memberships import (
    NewMembership,
    grant_membership,
    grant_memberships,
    place_member,
    revoke_membership,
    revoke_memberships,
    withdraw_member,
)
from .people import change_person, deactivate_person, invite_person, reactivate_person
from .roles import GrantOfRole, change_role, create_role, remove_role, sync_standard_roles
from .seeding import install_first_admin, seed_access
from .units import add_unit, move_unit, rename_unit

__all__ = [
    "GrantOfRole",
    "NewMembership",
    "add_unit",
    "change_person",
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
    "revoke_membership",
    "revoke_memberships",
    "revoke_object",
    "seed_access",
    "sync_standard_roles",
    "withdraw_member",
]
