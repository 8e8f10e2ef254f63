"""What the walls raise. None of these is meant for a client: they mean a defect or an attack."""


class TenancyError(Exception):
    """A wall of the tenancy was about to be crossed."""


class NoTenant(TenancyError):
    """A query was about to run without a tenant that was chosen on purpose."""


class TaskRefused(TenancyError):
    """A task without an organization, or for one that is not served, was refused."""


class NoSpareSchema(Exception):
    """The pool is empty at this moment: the worker builds the next spare schema."""


class RoutingNotTold(Exception):
    """Redis could not be told which organization changed: it is told again later."""
