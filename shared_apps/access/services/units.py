"""The tree of units. These are steps: the app that owns a team or a group calls them."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Concat, Substr

from shared_apps.access.errors import TreeTooDeep
from shared_apps.access.events import UnitCreated, UnitMoved, UnitRenamed
from shared_apps.access.models import MAXIMUM_DEPTH, Unit, UnitKind
from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import RuleRefused
from shared_apps.kernel.operations import step


@step
@transaction.atomic
def add_unit(*, parent: Unit, kind: UnitKind, name: str, actor: Actor) -> Unit:
    """Grow the tree by one unit; whoever calls has checked that the actor may.

    :raises TreeTooDeep: the parent stands on the lowest level.
    """
    # Its path may be changing this moment: a unit with the old one would belong to the wrong tree.
    parent = Unit.objects.locked(parent.pk)
    if parent.depth >= MAXIMUM_DEPTH:
        raise TreeTooDeep
    unit = Unit(parent=parent, kind=kind, name=name, created_by_id=actor.user_id)
    unit.path = parent.path_below(unit.pk)
    unit.save(force_insert=True)
    audit.record(UnitCreated(subject_id=unit.pk, kind=unit.kind, parent_id=parent.pk), actor=actor)
    return unit


@step
@transaction.atomic
def rename_unit(*, unit: Unit, name: str, actor: Actor) -> Unit:
    """Give a unit another name; whoever calls has checked that the actor may."""
    unit.name = name
    unit.updated_by_id = actor.user_id
    unit.save(update_fields=["name", "updated_at", "updated_by_id"])
    audit.record(UnitRenamed(subject_id=unit.pk), actor=actor)
    return unit


@step
@transaction.atomic
def move_unit(*, unit: Unit, parent: Unit, actor: Actor) -> Unit:
    """Hang a unit with all below it under another parent.

    Everything that is scoped to the subtree moves with it, because rows name units and not
    paths. Whoever calls has checked that the actor may.

    :raises RuleRefused: the parent lies within the subtree, or the unit is the root.
    :raises TreeTooDeep: the lowest unit of the subtree would lie too deep.
    """
    # The root's lock orders all changes of the tree: two crossing moves could make a ring.
    Unit.objects.filter(kind=UnitKind.ORGANIZATION).for_change().get()
    unit = Unit.objects.locked(unit.pk)
    parent = Unit.objects.obtain(parent.pk)
    if unit.is_root or unit.contains(parent):
        raise RuleRefused("A unit cannot stand below itself.")
    below = Unit.objects.filter(path__startswith=unit.path)
    deepest = max(path.count("/") for path in below.values_list("path", flat=True))
    if parent.depth + deepest - unit.depth + 1 > MAXIMUM_DEPTH:
        raise TreeTooDeep
    assert unit.parent_id is not None
    former_parent_id, former_path = unit.parent_id, unit.path
    new_path = parent.path_below(unit.pk)
    below.update(
        path=Concat(Value(new_path), Substr("path", len(former_path) + 1)),
        updated_at=clock.now(),
    )
    Unit.objects.filter(pk=unit.pk).update(parent=parent, updated_by_id=actor.user_id)
    unit.refresh_from_db()
    history.record_bulk_changed([unit], [{"parent": (former_parent_id, parent.pk)}], actor=actor)
    audit.record(
        UnitMoved(subject_id=unit.pk, from_parent_id=former_parent_id, to_parent_id=parent.pk),
        actor=actor,
    )
    return unit
