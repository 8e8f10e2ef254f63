"""The table of operators and their prefixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from tenant_apps.wallets import errors, events
from tenant_apps.wallets.models import Operator, OperatorPrefix
from tenant_apps.wallets.selectors import operators_visible_to

CHANGEABLE = frozenset({"name", "is_active", "prefixes"})


@transaction.atomic
def add_operator(*, actor: Actor, code: str, name: str, prefixes: Iterable[str]) -> Operator:
    """Add an operator with the beginnings (E.164) of its numbers.

    :raises Forbidden: the actor keeps no operators.
    :raises OperatorCodeTaken: there is one of this code.
    :raises PrefixTaken: a prefix is another operator's.
    """
    actor.require("wallets.add_operator")
    operator = Operator(
        code=code, name=name, created_by_id=actor.user_id, updated_by_id=actor.user_id
    )
    try:
        with transaction.atomic():
            operator.save(force_insert=True)
    except IntegrityError as problem:
        raise errors.OperatorCodeTaken from problem
    wanted = tuple(sorted(set(prefixes)))
    _write_prefixes(operator, wanted, actor=actor)
    audit.record(
        events.OperatorAdded(subject_id=operator.id, code=code, prefixes=wanted), actor=actor
    )
    return operator


@transaction.atomic
def change_operator(
    *,
    actor: Actor,
    operator_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Operator:
    """Change name, prefixes (all of them at once) or whether numbers are charged (`CHANGEABLE`).

    :raises NotFound: no such operator that the actor sees.
    :raises Forbidden: the actor keeps no operators.
    :raises PreconditionFailed: it is at another version.
    :raises PrefixTaken: a prefix is another operator's.
    """
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    operator = operators_visible_to(actor).locked(operator_id)
    actor.require("wallets.change_operator", operator)
    operator.check_version(expected_version)
    standing = set(operator.prefixes.values_list("prefix", flat=True))
    wanted = set(changes.get("prefixes", standing))
    changed = [
        name
        for name in ("is_active", "name")
        if changes.get(name) not in (None, getattr(operator, name))
    ]
    for name in changed:
        setattr(operator, name, changes[name])
    if wanted != standing:
        changed.append("prefixes")
        OperatorPrefix.objects.filter(operator=operator, prefix__in=standing - wanted).delete()
        _write_prefixes(operator, sorted(wanted - standing), actor=actor)
    if not changed:
        return operator
    operator.updated_by_id = actor.user_id
    operator.raise_version()
    operator.save()
    audit.record(
        events.OperatorChanged(subject_id=operator.id, fields=tuple(sorted(changed))), actor=actor
    )
    return operator


def _write_prefixes(operator: Operator, prefixes: Sequence[str], *, actor: Actor) -> None:
    rows = [
        OperatorPrefix(
            operator=operator,
            prefix=prefix,
            created_by_id=actor.user_id,
            updated_by_id=actor.user_id,
        )
        for prefix in prefixes
    ]
    try:
        with transaction.atomic():
            OperatorPrefix.objects.bulk_create(rows)
            history.record_bulk_created(rows, actor=actor)
    except IntegrityError as problem:
        taken = OperatorPrefix.objects.filter(prefix__in=prefixes).select_related("operator")
        others = [f"{row.prefix} is {row.operator.name}'s" for row in taken.order_by("prefix")]
        raise errors.PrefixTaken(f"{', '.join(others)}." if others else "") from problem
