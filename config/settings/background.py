"""Redis: cache, task broker, sockets."""

from config.settings.environment import STATE_DIR, read

REDIS_URL = read("str", "REDIS_URL", meaning="the address of Redis or Valkey")
_redis_options = {
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "tenants.cache.organization_key",
        "OPTIONS": _redis_options,
    },
    # Written and read before an organization is known: heartbeats, and beside it what the routing
    # knows of hosts (tenants/routing_cache.py).
    "routing": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "routing",
        "TIMEOUT": 60,
        "OPTIONS": _redis_options,
    },
}
# Lets several copies of the product share one Redis.
REDIS_PREFIX = read("str", "REDIS_PREFIX", "kontor")
CACHES["default"]["KEY_PREFIX"] = REDIS_PREFIX
CACHES["routing"]["KEY_PREFIX"] = f"{REDIS_PREFIX}:routing"

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"{REDIS_PREFIX}:sockets"},
    }
}

# Tabs and devices of one person that hear live news at once.
LIVE_SOCKETS_PER_PERSON = read("int", "LIVE_SOCKETS_PER_PERSON", 8)

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{REDIS_PREFIX}:tasks:",
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "visibility_timeout": 3600,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
# The log goes the way that all logs go.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "scheduler" / "schedule")
CELERY_WORKER_CONCURRENCY = read("int", "WORKER_PROCESSES", 2)
