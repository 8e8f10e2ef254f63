"""docs/errors.md, written from the failures that the code declares."""

from collections.abc import Iterable
from http import HTTPStatus

from django.apps import apps
from django.utils.module_loading import autodiscover_modules

from .errors import DomainError, catalog

_INTRODUCTION = """\
# Errors

Every failure of the API is a problem of RFC 9457 (`application/problem+json`): `type`, `title`,
`status`, `detail`, `code`, `request_id`, and `errors` with a `code`, a `detail` and a JSON
`pointer` for each wrong field. Programs should look at `code`: it never changes its meaning.
`detail` is for people and may change.

This page is written by `manage.py document_errors`.
"""


def errors_page() -> str:
    """The page's text, from every app's `errors.py`."""
    autodiscover_modules("errors")
    by_status: dict[int, list[type[DomainError]]] = {}
    for error in _of_installed_apps():
        by_status.setdefault(error.status, []).append(error)
    sections = [_section(status, errors) for status, errors in sorted(by_status.items())]
    return "\n".join([_INTRODUCTION, *sections])


def _of_installed_apps() -> list[type[DomainError]]:
    """Without those that tests declare for themselves."""
    names = tuple(f"{config.name}." for config in apps.get_app_configs())
    return [error for error in catalog() if error.__module__.startswith(names)]


def _section(status: int, errors: Iterable[type[DomainError]]) -> str:
    rows = [
        f"| `{error.code}` | {error.title} | {f'{_first_line(error)} {error.advice}'.strip()} |"
        for error in errors
    ]
    return "\n".join(
        [
            f"## {status} {HTTPStatus(status).phrase}",
            "",
            "| code | title | when, and what to do |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _first_line(error: type[DomainError]) -> str:
    text = vars(error).get("__doc__") or ""
    paragraph = text.strip().split("\n\n", 1)[0]
    return " ".join(paragraph.split()).replace("|", "\\|")
