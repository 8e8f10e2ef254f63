class NotAnAddress(ValueError):
    """A mail was to go to something that is no e-mail address."""


class TemplateWithoutSubject(ValueError):
    """A mail template does not begin with a line "Subject: ..."."""


class NotAPhoneNumber(ValueError):
    """A short message was to go to something that is no number in the international form."""


class SmsRefused(Exception):
    """The provider did not take the message over."""
