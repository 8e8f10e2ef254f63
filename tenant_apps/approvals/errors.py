"""Why a signature is refused."""

from shared_apps.kernel.errors import Conflict, Forbidden


class MakerCannotSign(Forbidden):
    code = "maker_cannot_sign"
    title = "Whoever made, asked for or owns something does not approve it."


class SignerUnknown(Forbidden):
    code = "signer_unknown"
    title = "Only a person can sign."


class NotTheMaker(Forbidden):
    code = "not_the_maker"
    title = "Only whoever asked for the approval can recall it."


class AlreadySigned(Conflict):
    code = "approval_already_signed"
    title = "You have signed this already."


class AlreadySubmitted(Conflict):
    code = "approval_already_submitted"
    title = "The same content is already waiting for signatures."


class ApprovalClosed(Conflict):
    code = "approval_closed"
    title = "The approval is closed."


class ContentChanged(Conflict):
    """``extra["fields"]`` names what differs from what was submitted."""

    code = "approval_content_changed"
    title = "The content is no longer what was submitted."
