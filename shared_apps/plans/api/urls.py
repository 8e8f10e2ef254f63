from django.urls import path

from shared_apps.plans.api.views import PlanList

public_urlpatterns = [path("api/v1/plans/", PlanList.as_view(), name="plans")]
