"""Why access refuses."""

from shared_apps.kernel.errors import Conflict, Forbidden, RuleRefused


class OwnRights(Forbidden):
    code = "own_rights"
    title = "Nobody raises the own rights."


class RoleBeyondOwnRights(Forbidden):
    code = "role_beyond_own_rights"
    title = "The role holds rights that you do not hold there yourself."


class GrantBeyondOwnRights(Forbidden):
    code = "grant_beyond_own_rights"
    title = "You do not hold this right on this record yourself."


class AlreadyMember(Conflict):
    code = "already_member"
    title = "The person holds this role in this unit already."


class MembershipEnded(Conflict):
    code = "membership_ended"
    title = "The membership has ended."


class LastAdmin(Conflict):
    code = "last_admin"
    title = "The organization would be left without an admin."


class StandardRoleFixed(Conflict):
    code = "standard_role"
    title = "Standard roles are not changed; add a role of your own."


class RoleInUse(Conflict):
    code = "role_in_use"
    title = "People hold this role."


class RoleCodeTaken(Conflict):
    code = "role_code_taken"
    title = "Another role has this code."


class AlreadyGranted(Conflict):
    code = "already_granted"
    title = "The person holds this right on this record already."


class RoleNeedsRoot(RuleRefused):
    code = "role_needs_root"
    title = "A role that administers the organization is held in the organization's own unit."


class MembershipMissing(RuleRefused):
    code = "membership_missing"
    title = "Say in which of your teams the person is to work."


class TreeTooDeep(RuleRefused):
    code = "unit_tree_too_deep"
    title = "Units are not nested that deeply."


class PermissionNotGrantable(RuleRefused):
    code = "permission_not_grantable"
    title = "This right does not belong to records of this kind."
