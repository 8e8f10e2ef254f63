"""What a signature covers: the content of a subject, as a hash, and one hash for each field."""

from __future__ import annotations

import hashlib
from typing import Any

from shared_apps.kernel.ids import canonical_json, request_hash

from .errors import ContentChanged
from .models import Approval
from .registry import Action, action_for


def hashes_of(action: Action, subject: Any) -> tuple[dict[str, str], str]:
    """The hash of each field of the content, and of the whole with its subject and action."""
    content = dict(action.content(subject))
    fields = {
        name: hashlib.sha256(canonical_json([name, value]).encode()).hexdigest()
        for name, value in content.items()
    }
    whole = request_hash(
        {
            "subject": [action.subject_type, subject.pk],
            "action": action.name,
            "content": content,
        }
    )
    return fields, whole


def check_content(approval: Approval, subject: Any) -> None:
    """:raises ContentChanged: the subject is no longer what was submitted; fields are named."""
    fields, whole = hashes_of(action_for(approval.subject_type, approval.action), subject)
    if whole != approval.content_hash:
        changed = approval.changed_fields(fields)
        raise ContentChanged(
            f"Changed since it was submitted: {', '.join(changed)}.", extra={"fields": changed}
        )
