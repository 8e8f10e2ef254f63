"""Which app stands in which schema, lowest floor first; hosts and middleware."""

from config.settings.environment import read

# Third-party apps whose tables stand in the public schema and in every organization's.
_EVERYWHERE = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "guardian",
    "auditlog",
    "django_otp",
    "django_otp.plugins.otp_totp",
]

# Our own apps that stand in both.
_BOTH = [
    "shared_apps.outbox",
    "shared_apps.audit",
    "shared_apps.seals",
    "shared_apps.documents",
    "shared_apps.delivery",
    "shared_apps.accounts",
    "shared_apps.idempotency",
    "shared_apps.access",
]

# `tenants` stands before `django_tenants`: its commands shadow the library's.
SHARED_APPS = [
    "tenants",
    "django_tenants",
    *_EVERYWHERE,
    "shared_apps.kernel",
    "shared_apps.reference",
    "shared_apps.plans",
    *_BOTH,
    "shared_apps.onboarding",
    "shared_apps.console",
    "unfold",
    "django.contrib.admin",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "dj_rest_auth",
    "django_filters",
    "drf_standardized_errors",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
]

TENANT_APPS = [
    *_EVERYWHERE,
    *_BOTH,
    "tenant_apps.usage",
    "tenant_apps.approvals",
    "tenant_apps.invariants",
    "tenant_apps.ledger",
    "tenant_apps.parties",
    "tenant_apps.products",
    "tenant_apps.teams",
    "tenant_apps.limits",
    "tenant_apps.deals",
    "tenant_apps.invoices",
    "tenant_apps.payments",
    "tenant_apps.wallets",
    "tenant_apps.commissions",
    "tenant_apps.notifications",
    "tenant_apps.dashboards",
    "tenant_apps.imports",
]

INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]

TENANT_MODEL = "tenants.Organization"
TENANT_DOMAIN_MODEL = "tenants.Domain"
PUBLIC_SCHEMA_NAME = "public"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# guardian would make an anonymous user in every schema.
ANONYMOUS_USER_NAME = None
# guardian's backend is not asked: `access` reads the grants itself.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]

ROOT_URLCONF = "config.urls_tenant"
# An address without its last slash does not exist: a redirect would lose the body of a POST.
APPEND_SLASH = False
PUBLIC_SCHEMA_URLCONF = "config.urls_public"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

# Organizations are served at <subdomain>.BASE_DOMAIN, sign-up and console at PUBLIC_HOST.
BASE_DOMAIN = read("str", "BASE_DOMAIN", "localhost").lower()
PUBLIC_HOST = read("str", "PUBLIC_HOST", BASE_DOMAIN).lower()
# What stands behind the host in links: scheme and, where it is not the usual one, the port.
PUBLIC_SCHEME = read("str", "PUBLIC_SCHEME", "http")
PUBLIC_PORT = read("str", "PUBLIC_PORT", "")
SOCKET_PORT = read("str", "SOCKET_PORT", "")
# The routing itself refuses every host that is not in the table of domains.
ALLOWED_HOSTS = ["*"]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "shared_apps.kernel.api.middleware.RequestIdMiddleware",
    "shared_apps.kernel.api.middleware.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.routing.RoutingMiddleware",
    "shared_apps.kernel.api.middleware.RateLimitMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "config.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.AuthenticationMiddleware",
    "config.middleware.OTPMiddleware",
    "config.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
# A super-admin's spare schemas: how many the worker keeps ready.
SPARE_SCHEMAS = read("int", "SPARE_SCHEMAS", 5)
