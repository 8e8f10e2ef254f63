from django.urls import path

from tenant_apps.notifications.api.views import LiveTicketView

urlpatterns = [
    path("api/v1/live-tickets/", LiveTicketView.as_view(), name="live-tickets"),
]
