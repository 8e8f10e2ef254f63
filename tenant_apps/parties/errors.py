"""What can go wrong with parties, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import BadInput, Conflict, Forbidden, RuleRefused

# How many companies may stand above one another.
MAXIMUM_PARENTS = 20


class UnknownParent(BadInput):
    code = "unknown_parent"
    title = "There is no such client to stand above it."


class ClientAlreadyRecorded(Conflict):
    """Two rows of one source carry the same reference."""

    code = "client_already_recorded"
    title = "A client with this external reference is recorded already."


class PartyIsItsOwnParent(RuleRefused):
    code = "party_is_its_own_parent"
    title = "A company cannot stand above itself."


class PrimaryContactTaken(Conflict):
    """A race between two requests; the second one may simply try again."""

    code = "primary_contact_taken"
    title = "Another contact became the primary one at the same time."


class NoHome(Forbidden):
    """Records belong to people who stand in a unit."""

    code = "no_unit_of_ones_own"
    title = "You have no place in a unit of the organization."
