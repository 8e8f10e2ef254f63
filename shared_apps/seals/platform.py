"""The platform's own log: sealed like an organization's, and read again by whoever runs it."""

from __future__ import annotations

import structlog

from tenants.context import platform_context

from .selectors import chains_here
from .verification import Verified, verify_chain

logger = structlog.get_logger(__name__)


def verify_platform() -> list[Verified]:
    """Read every sealed row of the platform's own schema again; what is wrong is logged too."""
    with platform_context(reason="verify the platform's own log"):
        results = [verify_chain(chain) for chain in chains_here()]
    for result in results:
        if not result.holds:
            logger.error(
                "platform_seals_broken",
                chain=result.chain,
                wrong=sorted({str(finding.wrong) for finding in result.findings}),
                findings=len(result.findings),
            )
    return results
