"""All settings. Values come from the environment (see .env.example); behaviour does not change.

Each file imports what it builds on, so their order here does not matter.
"""

from config.settings.api import *  # noqa: F403
from config.settings.applications import *  # noqa: F403
from config.settings.background import *  # noqa: F403
from config.settings.charging import *  # noqa: F403
from config.settings.console import *  # noqa: F403
from config.settings.database import *  # noqa: F403
from config.settings.environment import *  # noqa: F403
from config.settings.files import *  # noqa: F403
from config.settings.observation import *  # noqa: F403
from config.settings.seals import *  # noqa: F403
from config.settings.security import *  # noqa: F403
