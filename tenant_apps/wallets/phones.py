"""Phone numbers as one text each, whoever wrote them."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from tenant_apps.wallets import errors

_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
LONGEST = 40
_WRITTEN = re.compile(rf"[0-9+(). /-]{{1,{LONGEST}}}", re.ASCII)


def normalised(text: str, *, country: str, field: str = "phone") -> str:
    """The number in E.164 ("+254712345678"), read as people of the country write it.

    `field` is where the text stands in the request.

    :raises PhoneNumberInvalid: it is no number that can exist, or not a mobile one.
    """
    # The library would look for a number in any text, and read letters as the keys they stand on.
    if not _WRITTEN.fullmatch(text):
        raise _refusal(field, country)
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        raise _refusal(field, country) from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise _refusal(field, country)
    if phonenumbers.number_type(number) not in _MOBILE:
        raise errors.PhoneNumberInvalid.field(field, detail="Only mobile numbers are charged.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _refusal(field: str, country: str) -> errors.PhoneNumberInvalid:
    """It says how a number is written, by an example of the country's."""
    example = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)
    ways = [PhoneNumberFormat.NATIONAL, PhoneNumberFormat.E164]
    if example is None:
        written = ["+254712345678"]
    else:
        written = [phonenumbers.format_number(example, way) for way in ways]
    return errors.PhoneNumberInvalid.field(
        field, detail=f"A mobile number is written like {' or '.join(written)}."
    )
