"""Phone numbers as one text each, whoever wrote them."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from tenant_apps.wallets import errors

_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
LONGEST = 40
_WRITTEN = re.compile(rf"[0-9+(). /-]{{1,{LONGEST}}}", re.ASCII)


def normalised(text: str, *, country: str) -> str:
    """The number in E.164 ("+254712345678"), read as people of the country write it.

    :raises PhoneNumberInvalid: it is no number that can exist, or not a mobile one.
    """
    # The library would look for a number in any text, and read letters as the keys they stand on.
    if not _WRITTEN.fullmatch(text):
        raise errors.PhoneNumberInvalid
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        raise errors.PhoneNumberInvalid from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise errors.PhoneNumberInvalid
    if phonenumbers.number_type(number) not in _MOBILE:
        raise errors.PhoneNumberInvalid("Only mobile numbers are charged.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
