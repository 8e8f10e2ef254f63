class NotAnAddress(ValueError):
    """A mail was to go to something that is no e-mail address."""


class TemplateWithoutSubject(ValueError):
    """A mail template does not begin with a line "Subject: ..."."""
