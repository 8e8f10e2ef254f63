"""From one text template to a mail: its first line is the subject, the rest is the text.

    Subject: Your invitation to {{ organization_name }}

    Hello {{ name }}, ...

The HTML part is the same text with its links made clickable, so a template is written once and
no value can ever become markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.template import Context
from django.template.backends.django import Template as BackendTemplate
from django.template.loader import get_template
from django.utils.html import linebreaks, urlize

from tenants.context import organization_or_none

from .errors import TemplateWithoutSubject

_SUBJECT = "Subject:"
_SUBJECT_LENGTH = 250
_SMS_LENGTH = 306


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMail:
    subject: str
    text: str

    @property
    def html(self) -> str:
        return html_of(self.text)


def rendered(*, template: str, context: Mapping[str, Any]) -> RenderedMail:
    """Fill ``mail/<template>.txt``; it also knows `organization_name` and `support_email`.

    :raises TemplateDoesNotExist: no app has such a template.
    :raises TemplateWithoutSubject: it does not begin with its subject.
    """
    whole = _filled(f"mail/{template}.txt", context).lstrip()
    first, _, rest = whole.partition("\n")
    if not first.startswith(_SUBJECT):
        raise TemplateWithoutSubject(template)
    # One line, whatever the values hold: a line break would begin a header of its own.
    subject = " ".join(first.removeprefix(_SUBJECT).split())
    return RenderedMail(subject=subject[:_SUBJECT_LENGTH], text=f"{rest.strip()}\n")


def rendered_sms(*, template: str, context: Mapping[str, Any]) -> str:
    """Fill ``sms/<template>.txt``, on one line and no longer than phones take in two parts.

    :raises TemplateDoesNotExist: no app has such a template.
    """
    text = " ".join(_filled(f"sms/{template}.txt", context).split())
    return text[:_SMS_LENGTH]


def _filled(name: str, context: Mapping[str, Any]) -> str:
    organization = organization_or_none()
    known = {
        "organization_name": organization.name if organization else "Kontor",
        "support_email": settings.SUPPORT_EMAIL,
        **context,
    }
    found = cast(BackendTemplate, get_template(name))
    # Plain text: escaping for HTML would show entities in names.
    return found.template.render(Context(known, autoescape=False))


def html_of(text: str) -> str:
    """The text as a small HTML page, everything in it escaped, its links clickable."""
    body = linebreaks(urlize(text, nofollow=False, autoescape=True), autoescape=False)
    return (
        '<!doctype html><html><head><meta charset="utf-8"></head>'
        '<body style="font: 15px/1.5 sans-serif; color: #1c1c1c; max-width: 36em; margin: 2em">'
        f"{body}</body></html>"
    )
