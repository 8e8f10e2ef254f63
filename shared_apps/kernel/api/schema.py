"""The OpenAPI description of our views: what they declare, and nothing by hand."""

import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import BaseSerializer

from .patterns import UUID_PATTERN
from .query import EXPAND, expandable_of
from .serializers import ExpandableSerializer, StrictFields

_OUR_APPS = ("shared_apps.", "tenant_apps.", "tenants.")
# Up to a full stop or colon that ends something, or to the end.
_SENTENCE = re.compile(r"(.+?)[.:;](?:\s|$)")
_MOST_OF_A_SUMMARY = 120
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


@cache
def _shared_names() -> frozenset[str]:
    """The names that serializers of more than one app have.

    All apps' shapes are loaded first: else the names would depend on which host was asked first.
    """
    for config in apps.get_app_configs():
        if config.name.startswith(_OUR_APPS) and find_spec(f"{config.name}.api") is not None:
            shapes = f"{config.name}.api.serializers"
            if find_spec(shapes) is not None:
                import_module(shapes)
    modules: dict[str, set[str]] = {}
    waiting: list[type] = [BaseSerializer]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if kind.__module__.startswith(_OUR_APPS):
            modules.setdefault(kind.__name__, set()).add(kind.__module__)
    return frozenset(name for name, homes in modules.items() if len(homes) > 1)


class DomainSchema(AutoSchema):
    """Reads inputs, outputs, statuses and parameters off the view's declarations.

    It also describes views that are not ours, as its base does.
    """

    view: Any

    @property
    def _declares(self) -> bool:
        return hasattr(self.view, "input_serializers")

    def get_summary(self) -> str | None:
        """The first sentence of the description: what a list of operations says of each."""
        told = " ".join((super().get_description() or "").split("\n\n", 1)[0].split())
        sentence = _SENTENCE.match(told)
        return (sentence[1] if sentence else told)[:_MOST_OF_A_SUMMARY] or None

    def get_request_serializer(self) -> Any:
        if not self._declares:
            return super().get_request_serializer()
        return self.view.input_serializers.get(self.view.operation)

    def get_response_serializers(self) -> Any:
        if not self._declares:
            return super().get_response_serializers()
        view = self.view
        shown: Any = view.output_serializer()
        status = view.success_status()
        if status == 204:
            shown = None
        elif shown is not None and view.operation in view.unpaged:
            shown = shown(many=True)
        others = view.other_answers.get(view.operation, {})
        return {status: shown, **others}

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = list(super().get_override_parameters())
        if not self._declares:
            return parameters
        parameters += self._query_parameters()
        if self.method in _UNSAFE and hasattr(self.view, "money_actions"):
            parameters += self._idempotency_parameters()
        if self.method in _UNSAFE and "{" in self.path and self._shows_version():
            parameters.append(
                OpenApiParameter(
                    "If-Match",
                    str,
                    OpenApiParameter.HEADER,
                    description="The ETag you read; 412 when the row has changed since.",
                )
            )
        return parameters

    def _resolve_path_parameters(self, variables: Any) -> Any:
        base: Any = super()
        parameters = base._resolve_path_parameters(variables)
        for parameter in parameters:
            # The generator calls the primary key "id" whatever the route calls it.
            names = {"pk", "id"} if parameter["name"] == "id" else {parameter["name"]}
            if any(f"(?P<{name}>{UUID_PATTERN})" in self.path_regex for name in names):
                parameter["schema"] = {"type": "string", "format": "uuid"}
        return parameters

    def get_filter_backends(self) -> list[Any]:
        if self._declares and not self.view.is_listing:
            return []
        return list(super().get_filter_backends())

    def _get_paginator(self) -> Any:
        if self._declares and not self.view.is_listing:
            return None
        base: Any = super()
        return base._get_paginator()

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        base: Any = super()
        name: str = base.get_serializer_name(serializer, direction)
        kind = type(serializer)
        if kind.__name__ not in _shared_names():
            return name
        # Each app names its shapes for itself; the document has all of them side by side.
        app = apps.get_containing_app_config(kind.__module__)
        return f"{app.label.capitalize()}{name}" if app is not None else name

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        base: Any = super()
        schema = base._map_basic_serializer(serializer, direction)
        if isinstance(serializer, StrictFields):
            schema["additionalProperties"] = False
        if isinstance(serializer, ExpandableSerializer) and direction == "response":
            self._describe_expansion(schema, serializer)
        return schema

    def _describe_expansion(self, schema: Any, serializer: ExpandableSerializer) -> None:
        """A relation is its id, or the thing itself where it was asked for and may be seen."""
        expandable: Any = serializer.expandable
        for name, shown in expandable.items():
            component: Any = self.resolve_serializer(shown, "response")
            forms = [component.ref, {"type": "null"}]
            if name in schema["properties"]:
                forms.insert(0, schema["properties"][name])
            schema["properties"][name] = {"anyOf": forms}

    def _query_parameters(self) -> list[Any]:
        declared: Any = self.view.query_parameters.get(self.view.operation, ())
        if isinstance(declared, type) and issubclass(declared, BaseSerializer):
            parameters: list[Any] = [declared]
        else:
            parameters = [OpenApiParameter(name, str, OpenApiParameter.QUERY) for name in declared]
        names = expandable_of(self.view)
        if names and self.method == "GET":
            parameters.append(
                OpenApiParameter(
                    EXPAND,
                    str,
                    OpenApiParameter.QUERY,
                    description=f"Relations to show in full, joined by commas: {', '.join(names)}.",
                )
            )
        return parameters

    def _idempotency_parameters(self) -> list[OpenApiParameter]:
        if self.view.operation in self.view.secret_actions:
            # Nothing is kept of such an answer, so a key would promise what does not happen.
            return []
        moves_money = self.view.operation in self.view.money_actions
        parameters = [
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "minLength": 1, "maxLength": 255},
                OpenApiParameter.HEADER,
                required=moves_money,
                description="The same key with the same body gives the first answer again.",
            )
        ]
        if moves_money:
            parameters.append(
                OpenApiParameter(
                    "dry_run",
                    bool,
                    OpenApiParameter.QUERY,
                    description="Answer what would happen, and change nothing.",
                )
            )
        return parameters

    def _shows_version(self) -> bool:
        shown = self.view.serializer_class
        return bool(shown is not None and "version" in shown().fields)
