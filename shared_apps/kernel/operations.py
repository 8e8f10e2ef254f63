"""How a function of `services.py` says what it is."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


def step(function: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """Marks a public service that is part of an operation of a higher floor.

    An operation takes an actor, requires a permission and records an event; a step leaves one or
    more of these to the operation that calls it (`ledger.post`: the invoice's issue was required
    and recorded by its own service). An architecture test refuses what is neither.
    """
    function.is_step = True  # type: ignore[attr-defined]  # read by tests/architecture
    return function
