from django.urls import path

from shared_apps.console import admin  # noqa: F401  (registers what the site shows)
from shared_apps.console.sites import site

urlpatterns = [path("admin/", site.urls)]
