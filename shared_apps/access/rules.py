"""The one rule of visibility: it filters lists and it checks single objects.

A role reaches as far as its scopes say:

- ``organization``: every row;
- ``unit``: the rows of the unit in which the role is held, and below it; never those of another
  unit, whatever the person may do there by another role;
- ``own``: the rows that the person owns, wherever they stand, so that somebody who changes teams
  keeps the own history.

Beside the roles stand object grants, one person and one record at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Exists, F, ForeignKey, Model, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from .models import AccessPaths, Membership, ObjectGrant, Unit, UnitKind

# Not an empty Q: that one would vanish, and not win, where somebody adds "or".
EVERYTHING = ~Q(pk__in=[])
NOTHING = Q(pk__in=[])
UNSCOPED = AccessPaths(owner=None, unit=None)

_paths_of_lower_floors: dict[type[Model], AccessPaths] = {}


@dataclass(frozen=True, slots=True)
class Fallback:
    """A grant that holds below ``path`` only where nobody holds the role ``unless_role_id``.

    The path of a grant for the whole organization is empty.
    """

    path: str
    unless_role_id: UUID


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one permission reaches for one person, over all memberships."""

    own: bool = False
    everywhere: bool = False
    paths: tuple[str, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()


NO_REACH = Reach()


@dataclass(frozen=True, slots=True)
class Access:
    """What one person may do: loaded once per request, in one statement."""

    user_id: UUID
    roles: tuple[str, ...] = ()
    reaches: Mapping[str, Reach] = field(default_factory=dict)
    # The tables that hold grants to this person. Nearly everybody has none, and a list that need
    # not look for them can walk the index of owners.
    granted_in: frozenset[type[ObjectGrant]] = frozenset()
    # Where an API key acts: nothing but these, whether by role or by a grant on one record.
    only: frozenset[str] | None = None

    def narrowed(self, permissions: frozenset[str]) -> Access:
        """The same person's access as far as the permissions go, and no further."""
        only = permissions if self.only is None else permissions & self.only
        reaches = {name: reach for name, reach in self.reaches.items() if name in only}
        return replace(self, reaches=reaches, only=only)

    def reach(self, permission: str) -> Reach:
        return self.reaches.get(permission, NO_REACH)


def register_paths(model: type[Model], paths: AccessPaths) -> None:
    """Declare the paths of a model of a lower floor, which cannot name units itself."""
    _paths_of_lower_floors[model] = paths


def paths_of(model: type[Model]) -> AccessPaths:
    """The declared paths of a model; a model that declares none has neither owner nor unit."""
    declared = _paths_of_lower_floors.get(model)
    if declared is None:
        declared = getattr(model, "access_paths", UNSCOPED)
    _check_single_valued(model, declared.owner)
    if isinstance(declared.unit, str):
        _check_single_valued(model, declared.unit)
    assert isinstance(declared, AccessPaths)
    return declared


@cache
def _check_single_valued(model: type[Model], lookup: str | None) -> None:
    current = model
    for name in (lookup or "").split("__")[:-1]:
        step = current._meta.get_field(name)
        if not isinstance(step, ForeignKey):
            raise ImproperlyConfigured(
                f"{model._meta.label}: the access path {lookup} follows {name}, which is not a "
                "foreign key; it would list rows twice."
            )
        related: Any = step.related_model
        current = related


@cache
def grant_model_of(model: type[Model]) -> type[ObjectGrant] | None:
    """The table of object grants that points to a model, if its records can be shared."""
    for candidate in apps.get_models():
        if issubclass(candidate, ObjectGrant) and subject_model_of(candidate) is model:
            return candidate
    return None


def subject_model_of(table: type[ObjectGrant]) -> type[Model]:
    """The model whose records a table of object grants is about."""
    fields: Any = table._meta
    model: type[Model] = fields.get_field("content_object").related_model
    return model


def grants_in(table: type[ObjectGrant]) -> QuerySet[Any]:
    """The rows of a table of object grants."""
    rows: QuerySet[Any] = table._default_manager.all()
    return rows


@cache
def grant_models() -> list[type[ObjectGrant]]:
    """Every table of object grants."""
    return [model for model in apps.get_models() if issubclass(model, ObjectGrant)]


def visible_q(*, access: Access, permission: str, model: type[Model]) -> Q:
    """The condition under which a row of the model is within reach of the permission.

    It is one condition of subqueries, never a join that multiplies rows, and it answers for one
    object exactly as for a list.
    """
    reach = access.reach(permission)
    paths = paths_of(model)
    if reach.everywhere:
        return EVERYTHING
    condition = _granted_q(access, permission, model)
    if reach.own and paths.owner is not None:
        condition |= Q(**{paths.owner: access.user_id})
    if reach.paths:
        condition |= in_units(paths, Unit.objects.below(reach.paths))
    for fallback in reach.fallbacks:
        condition |= _fallback_q(fallback, paths)
    return condition


def in_units(paths: AccessPaths, units: QuerySet[Unit]) -> Q:
    """The condition that a row stands in one of the units."""
    if paths.unit is None:
        return NOTHING
    if callable(paths.unit):
        return paths.unit(units)
    return Q(**{f"{paths.unit}__in": units.values("pk")})


def units_reached(access: Access, permission: str) -> QuerySet[Unit]:
    """The units in which the person holds the permission for every row."""
    return Unit.objects.filter(visible_q(access=access, permission=permission, model=Unit))


def _fallback_q(fallback: Fallback, paths: AccessPaths) -> Q:
    open_units = units_without(fallback)
    if paths.unit is None:
        # Rows without units belong to the organization as a whole, and so to its own unit.
        return Q(Exists(open_units.filter(kind=UnitKind.ORGANIZATION)))
    return in_units(paths, open_units)


def units_without(fallback: Fallback) -> QuerySet[Unit]:
    """The units below the fallback's path over which nobody active holds the other role."""
    holders = (
        Membership.objects.active()
        .filter(role_id=fallback.unless_role_id)
        .annotate(place=Cast(OuterRef("path"), TextField()))
        .filter(place__startswith=F("unit__path"))
    )
    return Unit.objects.filter(path__startswith=fallback.path).exclude(Exists(holders))


def _granted_q(access: Access, permission: str, model: type[Model]) -> Q:
    if access.only is not None and permission not in access.only:
        return NOTHING
    grants = grant_model_of(model)
    if grants is None or grants not in access.granted_in:
        return NOTHING
    app_label, _, codename = permission.partition(".")
    held = grants_in(grants).filter(
        user_id=access.user_id,
        content_object_id=OuterRef("pk"),
        permission__codename=codename,
        permission__content_type__app_label=app_label,
    )
    return Q(Exists(held))


def holds(access: Access, permission: str) -> bool:
    """Whether the person holds the permission through any role, however far it reaches."""
    reach = access.reach(permission)
    if reach.own or reach.everywhere or reach.paths:
        return True
    return any(units_without(fallback).exists() for fallback in reach.fallbacks)


def reaches_new(*, access: Access, permission: str, row: Model) -> bool:
    """The same rule for a row that is not stored yet, read from its values."""
    reach = access.reach(permission)
    paths = paths_of(type(row))
    if reach.everywhere:
        return True
    if reach.own and paths.owner is not None and value_at(row, paths.owner) == access.user_id:
        return True
    if not isinstance(paths.unit, str):
        return False
    unit = Unit.objects.filter(pk=value_at(row, paths.unit))
    if reach.paths and unit.below(reach.paths).exists():
        return True
    return any((unit & units_without(fallback)).exists() for fallback in reach.fallbacks)


def value_at(row: Model, lookup: str) -> Any:
    """The value that a lookup such as ``deal__owner_id`` finds from a row."""
    value: Any = row
    for name in lookup.split("__"):
        if value is None:
            return None
        value = getattr(value, name)
    return value
