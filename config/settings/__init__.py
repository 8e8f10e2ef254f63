"""All settings. Values come from the environment (see .env.example); behaviour does not change."""

from config.settings.api import *  # noqa: F403
from config.settings.applications import *  # noqa: F403  (each file builds on those before it)
from config.settings.background import *  # noqa: F403
from config.settings.console import *  # noqa: F403
from config.settings.database import *  # noqa: F403
from config.settings.environment import *  # noqa: F403
from config.settings.files import *  # noqa: F403
from config.settings.observation import *  # noqa: F403
from config.settings.security import *  # noqa: F403
