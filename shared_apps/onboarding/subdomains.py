"""Which subdomains may be taken: well formed, not reserved, and not mistaken for another."""

import re

from shared_apps.onboarding.errors import SubdomainRefused

PATTERN = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){1,30}[a-z0-9]\Z")

RESERVED = frozenset(
    """
    abuse access account accounts admin administrator api app apps assets auth backup beta billing
    blog cdn chat cloud console dashboard data demo dev developer docs download email files ftp
    health help home host hostmaster id images imap info internal invoice invoices kontor legal
    live local localhost login logout mail media mobile money monitor mx my news noreply ns
    official pay payment payments platform pop postmaster preview private proxy public register
    root sandbox secure security server service shop signup smtp sockets spare sso stage staging
    static status store support system team tenant test testing trust upload verify web webmail
    webmaster wpad ws www
    """.split()
)

# Characters and pairs that a hurried reader takes for one another.
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "3": "e", "5": "s", "8": "b", "-": None})


def skeleton(subdomain: str) -> str:
    """What the eye sees: two subdomains with one skeleton look alike."""
    seen = subdomain
    for pair, letter in _PAIRS:
        seen = seen.replace(pair, letter)
    return seen.translate(_ALIKE)


_RESERVED_SKELETONS = frozenset(skeleton(word) for word in RESERVED)


def check_subdomain(subdomain: str, *, reserved_too: bool = False) -> None:
    """Refuse what cannot be an organization's address.

    :raises SubdomainRefused: malformed, reserved, or looking like a reserved name.
    """
    if subdomain.startswith("xn--"):
        raise SubdomainRefused.of("Letters beyond a to z are not possible in a subdomain.")
    if not PATTERN.match(subdomain):
        raise SubdomainRefused.of(
            "A subdomain has 3 to 32 characters: small letters a to z, digits and single hyphens;"
            " it begins with a letter and does not end with a hyphen."
        )
    if reserved_too:
        return
    if subdomain in RESERVED:
        raise SubdomainRefused.of(f"{subdomain} is reserved. Choose another.")
    if skeleton(subdomain) in _RESERVED_SKELETONS:
        raise SubdomainRefused.of(f"{subdomain} looks like a reserved name. Choose another.")
