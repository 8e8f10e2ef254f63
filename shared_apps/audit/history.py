"""Field history: which field of which row had which value before and after.

django-auditlog writes it for rows that are saved one by one. It does not see bulk writes, so
services that write in bulk call `record_bulk_created` and `record_bulk_changed` here. Its own
middleware runs before token authentication and so never knows the actor; here the API base says
who acts once it knows. Values of personal fields are masked, for this history is never erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.db.models import Field, Model

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor

from .errors import NotTracked
from .services import known_address

MASK = "***"
_ROWS_PER_STATEMENT = 1000
_OWN_BOOKKEEPING = ("created_at", "updated_at", "created_by_id", "updated_by_id", "version")

# field name -> (value before, value after)
Changes = Mapping[str, tuple[Any, Any]]

_actor: ContextVar[Actor | None] = ContextVar("history_actor", default=None)


def mask(value: str) -> str:
    """Whether there is a value stays visible, nothing of the value does."""
    return "" if value in {"", "None"} else MASK


def track(model: type[Model], *, exclude: Iterable[str] = (), mask: Iterable[str] = ()) -> None:
    """Keep the field history of a model; call it in the app's ``ready()``.

    Secrets belong into `exclude`, personal data into `mask`. Fields that change with every save
    anyway are left out.

    :raises FieldDoesNotExist: a name is none of the model's fields.
    """
    excluded, masked = set(exclude), set(mask)
    for name in excluded | masked:
        model._meta.get_field(name)
    # Naming the columns keeps the library from following reverse relations, one query each.
    included = [
        field.name
        for field in model._meta.concrete_fields
        if field.name not in excluded and field.name not in _OWN_BOOKKEEPING
    ]
    auditlog.register(
        model,
        include_fields=included,
        mask_fields=sorted(masked),
        mask_callable=f"{__name__}.mask",
    )


def set_history_actor(actor: Actor | None) -> None:
    """Say who acts on this thread from now on. Requests forget it when they begin and end."""
    _actor.set(actor)


@contextmanager
def history_actor(actor: Actor) -> Iterator[None]:
    """Say who acts within the block; for tasks, commands and subscribers."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def forget_history_actor(**_: Any) -> None:
    """Threads serve one request after another: the next one is somebody else's."""
    _actor.set(None)


def record_bulk_created(instances: Sequence[Model], *, actor: Actor) -> None:
    """Write the history of rows that were made by ``bulk_create``.

    :raises NotTracked: the model keeps no history.
    """
    if not instances:
        return
    fields = _tracked_fields(type(instances[0]))
    _write(
        (
            (instance, {name: (None, instance.__dict__.get(attname)) for name, attname in fields})
            for instance in instances
        ),
        model=type(instances[0]),
        action=LogEntry.Action.CREATE,
        actor=actor,
    )


def record_bulk_changed(
    instances: Sequence[Model], changes: Sequence[Changes], *, actor: Actor
) -> None:
    """Write the history of rows changed by ``bulk_update`` or ``update``, one `changes` for each.

    :raises NotTracked: the model keeps no history.
    :raises ValueError: there are not as many changes as instances.
    """
    if not instances:
        return
    tracked = {name for name, _ in _tracked_fields(type(instances[0]))}
    _write(
        (
            (instance, {name: pair for name, pair in change.items() if name in tracked})
            for instance, change in zip(instances, changes, strict=True)
        ),
        model=type(instances[0]),
        action=LogEntry.Action.UPDATE,
        actor=actor,
    )


def _tracked_fields(model: type[Model]) -> list[tuple[str, str]]:
    if not auditlog.contains(model):
        raise NotTracked(model._meta.label)
    included = auditlog.get_model_fields(model)["include_fields"]
    return [(name, _column(model, name).attname) for name in included]


def _column(model: type[Model], name: str) -> Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def _write(
    rows: Iterable[tuple[Model, Changes]], *, model: type[Model], action: int, actor: Actor
) -> None:
    content_type = ContentType.objects.get_for_model(model)
    masked = set(auditlog.get_model_fields(model)["mask_fields"])
    stamp = _Stamp(actor)
    entries = []
    for instance, changes in rows:
        told = {
            name: _told(before, after, hidden=name in masked)
            for name, (before, after) in changes.items()
            if before != after
        }
        if not told:
            continue
        entry = LogEntry(
            content_type=content_type,
            object_pk=str(instance.pk),
            object_id=instance.pk if isinstance(instance.pk, int) else None,
            action=action,
            changes=told,
        )
        stamp.put_on(entry)
        entries.append(entry)
    LogEntry.objects.bulk_create(entries, batch_size=_ROWS_PER_STATEMENT)


def _told(before: Any, after: Any, *, hidden: bool) -> tuple[Any, Any]:
    if hidden:
        return mask(str(before)), mask(str(after))
    return _plain(before), _plain(after)


def _plain(value: Any) -> Any:
    """The forms in which django-auditlog writes values, so that both kinds of entry read alike."""
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return str(value)


class _Stamp:
    """Who, from where, within which request: the same for all entries of one act."""

    def __init__(self, actor: Actor) -> None:
        # Only a person of this organization is a row that the foreign key can point at.
        self.user_id: UUID | None = None if actor.is_system else actor.user_id
        self.address = known_address(actor.ip_address)
        self.request_id = actor.request_id
        self.moment = clock.now()
        self.details = {
            "actor": actor.label,
            "user_id": str(actor.user_id) if actor.user_id else None,
            "roles": list(actor.roles),
            "session_id": str(actor.session_id) if actor.session_id else None,
            "on_behalf_of": str(actor.on_behalf_of) if actor.on_behalf_of else None,
        }

    def put_on(self, entry: LogEntry) -> None:
        entry.actor_id = self.user_id
        entry.remote_addr = self.address
        entry.cid = self.request_id
        entry.timestamp = self.moment
        entry.additional_data = self.details


def complete_entry(*, instance: LogEntry, **_: Any) -> None:
    """Before django-auditlog saves an entry of its own: who acts, by our clock.

    The row's text form is dropped: it is often a name, and the history must not keep names.
    """
    instance.object_repr = ""
    actor = _actor.get()
    if actor is None:
        instance.timestamp = clock.now()
    else:
        _Stamp(actor).put_on(instance)
