"""The only writer of deals, their stages and their activities."""

from tenant_apps.deals.services.activities import note_activity
from tenant_apps.deals.services.changing import assign_deals, change_deal
from tenant_apps.deals.services.recording import NewDeal, record_deals
from tenant_apps.deals.services.stages import DealWin, StageMove, change_stages, win_deals

__all__ = [
    "DealWin",
    "NewDeal",
    "StageMove",
    "assign_deals",
    "change_deal",
    "change_stages",
    "note_activity",
    "record_deals",
    "win_deals",
]
