from importlib import import_module

from django.apps import AppConfig

from shared_apps.kernel import invariants


class SealsConfig(AppConfig):
    name = "shared_apps.seals"

    def ready(self) -> None:
        chains = import_module(f"{self.name}.chains")
        audit = import_module(f"{self.name}.audit_chain").AUDIT
        chains.register(audit)
        watching = import_module(f"{self.name}.invariants")
        invariants.register(
            watching.chain_invariant(
                audit,
                title="Every sealed entry of the audit log is what was sealed.",
                concerns="audit",
            )
        )
