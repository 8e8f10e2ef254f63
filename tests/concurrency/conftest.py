from tests.ledger.conftest import actor
from tests.wallets.conftest import simulated

__all__ = ["actor", "simulated"]
