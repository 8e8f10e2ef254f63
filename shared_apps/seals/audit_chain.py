"""The audit's entries are sealed here: the audit stands below and knows no seals."""

from .chains import Chain, Form, Kind

AUDIT = Chain(
    name="audit",
    # The database's function that drops old entries knows this number too.
    code=2,
    table="audit_entry",
    moment="recorded_at",
    permission="audit.view_auditentry",
    may_be_dropped=True,
    on_platform=True,
    forms=(
        Form(
            number=1,
            columns=(
                ("id", Kind.UUID),
                ("event_name", Kind.TEXT),
                ("subject_type", Kind.TEXT),
                ("subject_id", Kind.UUID),
                ("payload", Kind.JSON),
                ("actor_label", Kind.TEXT),
                ("actor_user_id", Kind.UUID),
                ("actor_roles", Kind.JSON),
                ("on_behalf_of", Kind.UUID),
                ("session_id", Kind.UUID),
                ("request_id", Kind.TEXT),
                ("ip_address", Kind.ADDRESS),
                ("user_agent", Kind.TEXT),
                ("recorded_at", Kind.MOMENT),
            ),
        ),
    ),
)
