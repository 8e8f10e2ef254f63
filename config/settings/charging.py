"""Who charges phones when charge is sold."""

from config.settings.environment import read, stop

# The factory of each provider by the scheme of its URL.
CHARGE_PROVIDERS = {"simulator": "tenant_apps.wallets.providers.simulator.Simulator"}
CHARGE_PROVIDER_URL = read("str", "CHARGE_PROVIDER_URL", "")
if CHARGE_PROVIDER_URL and CHARGE_PROVIDER_URL.partition("://")[0] not in CHARGE_PROVIDERS:
    stop("the setting CHARGE_PROVIDER_URL names no provider that is known (see .env.example)")
