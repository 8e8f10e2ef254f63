"""Whether somebody was seen on a device before.

A browser tells no more than its name, and phones change their address all day. So a device is
known when the same program came from the same wide network within three months: a colleague's
office line or a phone's provider, and not the other end of the world.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

_WIDE = {4: 16, 6: 32}


def network_of(address: str) -> str:
    """The wide network that an address lies in; what is no address stands for itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, _WIDE[parsed.version]), strict=False))


def is_known(*, program: str, address: str, seen: Iterable[tuple[str, str]]) -> bool:
    """Whether program and network are among those seen, as pairs of program and address."""
    here = (program, network_of(address))
    return any((program_seen, network_of(place)) == here for program_seen, place in seen)
