from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.parties.api.views import ClientViewSet, ContactViewSet

router = SimpleRouter(use_regex_path=False)
router.register("clients", ClientViewSet, basename="client")
router.register("clients/<uuid:client_id>/contacts", ContactViewSet, basename="client-contact")

urlpatterns = [path("api/v1/", include(router.urls))]
