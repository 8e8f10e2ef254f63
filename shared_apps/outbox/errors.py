class NoOpenTransaction(RuntimeError):
    """News was to be written outside a transaction, so it could outlive or miss its fact."""


class ConsumerNameTaken(RuntimeError):
    """Two consumers registered under one name: their receipts would be each other's."""
