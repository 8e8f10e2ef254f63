from django.urls import path

from .views import DocumentContentView

urlpatterns = [
    path(
        "api/v1/documents/<uuid:document_id>/content/",
        DocumentContentView.as_view(),
        name="document-content",
    ),
]
