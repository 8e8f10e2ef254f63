"""The values of Django's settings that the API base needs; `config` takes them over."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "EXCEPTION_HANDLER": "shared_apps.kernel.api.problems.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "shared_apps.kernel.api.schema.DomainSchema",
    "DEFAULT_PAGINATION_CLASS": "shared_apps.kernel.api.pagination.CursorPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_PARSER_CLASSES": ["shared_apps.kernel.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "shared_apps.kernel.api.renderers.EnvelopeRenderer",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["shared_apps.kernel.api.throttling.RateLimit"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_VERSIONING_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.MultiPartRenderer",
    ],
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Kontor",
    "DESCRIPTION": "The back office of organizations that sell on credit.",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/(v[0-9]+/)?",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENABLE_DJANGO_DEPLOY_CHECK": True,
    "SERVE_INCLUDE_SCHEMA": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "shared_apps.kernel.api.schema_hooks.document_problems",
        "shared_apps.kernel.api.schema_hooks.modernise",
    ],
}
