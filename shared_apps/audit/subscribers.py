"""Ties django-auditlog to our actor and clock. Not a business rule: it completes its rows."""

from auditlog.models import LogEntry
from django.core.signals import request_finished, request_started
from django.db.models.signals import pre_save

from .history import complete_entry, forget_history_actor

pre_save.connect(complete_entry, sender=LogEntry, dispatch_uid="audit.history")
request_started.connect(forget_history_actor, dispatch_uid="audit.request_started")
request_finished.connect(forget_history_actor, dispatch_uid="audit.request_finished")
