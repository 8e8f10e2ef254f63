"""Query parameters: declared ones only."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.forms import SelectMultiple
from django_filters import BooleanFilter, CharFilter, ChoiceFilter, DateFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend

from shared_apps.kernel.errors import BadInput, FieldError, UnknownParameter

from .serializers import name_choices, one_of

ORDERING = "ordering"
EXPAND = "expand"
MAX_ORDERING_TERMS = 3
MAX_EXPAND_DEPTH = 2
MAX_EXPANDED = 10
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

QueryDeclaration = type[serializers.Serializer[Any]] | Iterable[str]


class OrderingBackend(BaseFilterBackend):
    """`?ordering=-amount,reference` over the view's `ordering_fields`.

    These are names, or a mapping of public names to model paths. The paginator applies
    the order, because its cursor is made of it.
    """

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        """:raises BadInput: a term is not declared, or there are too many."""
        text = request.query_params.get(ORDERING)
        if text is None:
            return queryset
        paths = ordering_paths(view)
        terms = text.split(",")
        if len(terms) > MAX_ORDERING_TERMS:
            raise BadInput.field(ORDERING, detail=f"At most {MAX_ORDERING_TERMS} terms order it.")
        chosen = []
        for term in terms:
            name = term.removeprefix("-")
            if name not in paths:
                known = ", ".join(paths)
                raise BadInput.field(ORDERING, detail=f"The list can be ordered by: {known}.")
            chosen.append(("-" if term.startswith("-") else "") + paths[name])
        view.chosen_ordering = chosen
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = list(ordering_paths(view))
        if not names:
            return []
        alternatives = "|".join(names)
        one = f"-?({alternatives})"
        return [
            {
                "name": ORDERING,
                "in": "query",
                "required": False,
                "description": f"Up to {MAX_ORDERING_TERMS} of: {', '.join(names)}; "
                "a minus before one turns it round.",
                "schema": {
                    "type": "string",
                    "pattern": f"^{one}(,{one}){{0,{MAX_ORDERING_TERMS - 1}}}$",
                },
            }
        ]


def ordering_paths(view: Any) -> dict[str, str]:
    """The public names a view's list can be ordered by, with their model paths."""
    declared = getattr(view, "ordering_fields", None) or ()
    if isinstance(declared, Mapping):
        return dict(declared)
    return {name: name for name in declared}


class StrictQueryMixin:
    """Refuses query parameters that the operation does not declare.

    Known are, for a list, the filterset's, the paginator's and `ordering`; `expand` where
    the output can be expanded; and those of `query_parameters`, which maps an operation to
    names or to a serializer that reads them (`read_query`).
    """

    query_parameters: ClassVar[Mapping[str, QueryDeclaration]] = {}

    def allowed_query_parameters(self) -> set[str]:
        """The parameters that this operation takes; a mixin adds its own to `super()`'s."""
        view: Any = self
        allowed = set(_declared_names(self.query_parameters.get(view.operation, ())))
        if view.is_listing:
            allowed |= set(_filters_by_name(view))
            paginator = getattr(view, "paginator", None)
            if paginator is not None:
                allowed |= paginator.query_parameters()
            if ordering_paths(view):
                allowed.add(ORDERING)
        if view.request.method in ("GET", "HEAD") and expandable_of(view):
            allowed.add(EXPAND)
        return allowed

    def check_query(self) -> None:
        """Refuse what the operation does not declare.

        :raises UnknownParameter: a parameter is not declared.
        :raises BadInput: one that has a single value stands there twice.
        """
        view: Any = self
        params = view.request.query_params
        if not params:
            return
        allowed = self.allowed_query_parameters()
        repeatable = _repeatable_names(view) if view.is_listing else set()
        errors = [
            FieldError.at(
                name[:100],
                detail=f"There is no such parameter. There are: {', '.join(sorted(allowed))}."
                if allowed
                else "This address takes no parameters.",
                code="unknown_parameter",
            )
            for name in list(params)[:20]
            if name not in allowed
        ]
        if errors:
            raise UnknownParameter(errors=errors)
        errors = [
            FieldError.at(name, detail="It stands there twice.", code="repeated_parameter")
            for name, values in params.lists()
            if len(values) > 1 and name not in repeatable
        ]
        if errors:
            raise BadInput(errors=errors)

    def read_query(self) -> dict[str, Any]:
        """The parameters of the operation, validated by its declared serializer.

        :raises ValidationError: one of them is wrong; the API answers 400.
        """
        view: Any = self
        declared: Any = self.query_parameters[view.operation]
        known = set(declared().fields)
        data = {name: view.request.query_params[name] for name in view.request.query_params}
        serializer = declared(
            data={name: value for name, value in data.items() if name in known},
            context=view.get_serializer_context(),
        )
        name_choices(serializer.fields)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def expanded(self) -> tuple[str, ...]:
        """The relations that the caller wants to see in full.

        :raises BadInput: one of them is not declared, or lies too deep.
        """
        view: Any = self
        text = view.request.query_params.get(EXPAND)
        if not text:
            return ()
        paths = tuple(dict.fromkeys(text.split(",")))
        output = view.get_serializer_class()
        if len(paths) > MAX_EXPANDED or not all(_can_expand(output, path) for path in paths):
            names = ", ".join(expandable_of(view))
            raise BadInput.field(EXPAND, detail=f"What can be expanded: {names}.")
        return paths


def expandable_of(view: Any) -> list[str]:
    """The names of the relations that a view's output can show in full."""
    return list(getattr(view.output_serializer(), "expandable", None) or {})


def _can_expand(output: Any, path: str) -> bool:
    names = path.split(".")
    if len(names) > MAX_EXPAND_DEPTH:
        return False
    for name in names:
        inner = (getattr(output, "expandable", None) or {}).get(name)
        if inner is None:
            return False
        output = inner
    return True


def _declared_names(declared: QueryDeclaration) -> Iterable[str]:
    if isinstance(declared, type):
        return declared().fields
    return declared


def _filters_by_name(view: Any) -> dict[str, Any]:
    """The filters by the parameters that they read; a range has one for each end."""
    filterset = getattr(view, "filterset_class", None)
    if filterset is None:
        return {}
    found: dict[str, Any] = {}
    for name, item in filterset.base_filters.items():
        suffixes = getattr(item.field.widget, "suffixes", None)
        names = [f"{name}_{suffix}" for suffix in suffixes] if suffixes else [name]
        found |= dict.fromkeys(names, item)
    return found


def _repeatable_names(view: Any) -> set[str]:
    """The filters that take several values, each as a parameter of its own."""
    filterset = getattr(view, "filterset_class", None)
    filters = filterset.base_filters.items() if filterset is not None else ()
    return {name for name, item in filters if isinstance(item.field.widget, SelectMultiple)}


class FilterBackend(DjangoFilterBackend):
    """django-filter; a wrong value is a 400 that names the parameter.

    What is neither true nor false, and no value where one of a kind is meant, is wrong too:
    django-filter would leave the filter out and answer with every row. Days are ISO 8601 and
    nothing that one country reads otherwise than another.
    """

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        """:raises BadInput: a filter has no value, or not one of its kind."""
        errors = []
        for name, item in _filters_by_name(view).items():
            values = request.query_params.getlist(name)
            if "" in values and not isinstance(item, CharFilter):
                errors.append(FieldError.at(name, detail="It has no value.", code="blank"))
            elif isinstance(item, BooleanFilter) and not set(values) <= {"true", "false"}:
                errors.append(FieldError.at(name, detail="Say true or false.", code="invalid"))
            elif isinstance(item, DateFilter) and not all(map(_ISO_DAY.fullmatch, values)):
                errors.append(
                    FieldError.at(name, detail="Days are written 2026-03-31.", code="invalid")
                )
            elif isinstance(item, ChoiceFilter) and not _are_choices(item, values):
                known = [value for value, _ in item.field.choices if value]
                errors.append(FieldError.at(name, detail=one_of(known), code="invalid_choice"))
        if errors:
            raise BadInput(errors=errors)
        return super().filter_queryset(request, queryset, view)


def _are_choices(item: Any, values: list[str]) -> bool:
    return all(item.field.valid_value(value) for value in values)
