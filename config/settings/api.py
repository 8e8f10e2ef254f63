"""Django REST framework and the OpenAPI document."""

from config.settings.environment import read
from config.settings.security import TRUSTED_PROXIES

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "shared_apps.accounts.authentication.TokenAuthentication",
        "shared_apps.accounts.authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "shared_apps.kernel.api.renderers.EnvelopeRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": ["shared_apps.kernel.api.parsers.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["shared_apps.kernel.api.throttling.RateLimit"],
    "DEFAULT_PAGINATION_CLASS": "shared_apps.kernel.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "shared_apps.kernel.api.schema.DomainSchema",
    "EXCEPTION_HANDLER": "shared_apps.kernel.api.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
    # 0 trusts no X-Forwarded-For; None would trust all of it.
    "NUM_PROXIES": TRUSTED_PROXIES,
}
REST_AUTH = {
    "USE_JWT": True,
    "TOKEN_MODEL": None,
    "SESSION_LOGIN": False,
    "OLD_PASSWORD_FIELD_ENABLED": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Kontor",
    "DESCRIPTION": (
        "The back office of organizations that sell on credit.\n\n"
        "Every unsafe request may carry an `Idempotency-Key`. Where an operation lists the header,"
        " the same key with the same body gives the first answer again. Where it does not (signing"
        " in and all that concerns one's own account, links and codes, tickets), no answer is kept,"
        " for it is or stands beside a secret, and the header is ignored."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api(/v1)?",
    "SWAGGER_UI_DIST": "SIDECAR",
    # Groups that open when they are asked for: all at once are more than anybody reads.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "filter": True},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "POSTPROCESSING_HOOKS": [
        "shared_apps.kernel.api.schema_hooks.document_problems",
        "shared_apps.kernel.api.schema_hooks.modernise",
        "config.health.describe",
    ],
}

# Requests by caller: {"api": "1200/minute"}; other limits by the name of their class.
API_RATE_LIMITS = read("json", "API_RATE_LIMITS", {})
# A proof with everything that comes with it, in bytes.
UPLOAD_MAX_BYTES = read("int", "UPLOAD_MAX_BYTES", 25 * 1024 * 1024)
