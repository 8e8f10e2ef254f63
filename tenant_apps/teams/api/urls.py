from django.urls import path
from rest_framework.routers import SimpleRouter

from tenant_apps.teams.api.views import TeamMemberViewSet, TeamViewSet

router = SimpleRouter(use_regex_path=False)
router.register("api/v1/teams", TeamViewSet, basename="team")

urlpatterns = [
    *router.urls,
    path(
        "api/v1/teams/<uuid:team_id>/members/",
        TeamMemberViewSet.as_view({"get": "list", "post": "create"}),
        name="team-members",
    ),
    path(
        "api/v1/teams/<uuid:team_id>/members/<uuid:user_id>/",
        TeamMemberViewSet.as_view({"delete": "destroy"}),
        name="team-member",
    ),
]
