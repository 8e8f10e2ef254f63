"""Structured logs: one JSON object per line, or readable lines for people.

Values under telling names are masked on the way out, whoever logged them.
"""

import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_NAME = re.compile(
    r"password|secret|token|authorization|cookie|credential|recovery|otp|private_key", re.IGNORECASE
)
_MASK = "***"
# In addresses that servers and libraries log as they came: ?token=..., &signature=..., #token=...
_SECRET_IN_ADDRESS = re.compile(
    r"([?&#](?:[a-z_]*token|ticket|signature|code|password|secret)=)[^&#\s\"'<>]+", re.IGNORECASE
)


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: no value under a name like `password` or `token` is written, nor what
    stands under such a name in an address."""
    for name in list(event):
        event[name] = _MASK if _SECRET_NAME.search(name) else _masked(event[name])
    return event


def _masked(value: Any) -> Any:
    """The value, with what stands in it under telling names masked, however deep."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {
            key: _MASK if _SECRET_NAME.search(str(key)) else _masked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return value


def without_secrets(text: str) -> str:
    """The text, with secrets that stand in addresses masked."""
    return _SECRET_IN_ADDRESS.sub(rf"\1{_MASK}", text)


def report_without_secrets(report: Any, _hint: Any) -> Any:
    """Sentry's `before_send`: of the address that was asked for, its query does not leave."""
    asked = report.get("request")
    if isinstance(asked, dict):
        asked.pop("query_string", None)
        if isinstance(asked.get("url"), str):
            asked["url"] = asked["url"].partition("?")[0]
    return report


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        mask_secrets,
    ]


def logging_settings(*, level: str = "INFO", as_json: bool = True) -> dict[str, Any]:
    """Django's LOGGING value; it also sets structlog up, so both go the same way.

    `level` is a name of the standard library's levels.
    """
    shared = _shared_processors()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            # What an error says is a text by now: libraries put whole addresses into it.
            mask_secrets,
            structlog.processors.JSONRenderer(default=str),
        ]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                # Plain: the other formatters print local variables, secrets among them.
                colors=False,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "house": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "house"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["stderr"], "level": level, "propagate": False},
            # A refused request is the caller's affair; its status stands in the access log.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "ERROR"},
        },
    }
