from shared_apps.kernel.errors import BadInput, Conflict, NotFound


class SourceUnreadable(BadInput):
    """A file is missing, or is not what it should be as a whole."""

    code = "import_source_unreadable"
    title = "The source cannot be read"


class VerifierUnknown(NotFound):
    code = "import_verifier_unknown"
    title = "There is no such verifier"


class ImportRunning(Conflict):
    code = "import_running"
    title = "An import is running"
