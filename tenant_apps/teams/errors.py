"""Why teams refuse."""

from shared_apps.kernel.errors import Conflict, RuleRefused


class TeamNameTaken(Conflict):
    code = "team_name_taken"
    title = "Another team has this name."


class TeamClosed(Conflict):
    code = "team_closed"
    title = "The team is closed."


class TeamNotEmpty(Conflict):
    code = "team_not_empty"
    title = "People or teams still belong to this team."


class NotAMember(Conflict):
    code = "not_a_member"
    title = "The person does not belong to this team."


class LeadStays(RuleRefused):
    code = "team_lead_stays"
    title = "Appoint another lead before the present one leaves."
