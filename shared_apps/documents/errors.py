from typing import Any

from shared_apps.kernel.errors import BadInput, DependencyDown, FieldError, Forbidden


class FileRefused(BadInput):
    """An upload that is not kept; the subclass says why."""

    code = "file_refused"
    title = "The file is not accepted."

    def __init__(self, detail: str = "", **rest: Any) -> None:
        super().__init__(detail, **rest)
        self.errors.append(FieldError.at("file", code=self.code, detail=self.detail))


class FileEmpty(FileRefused):
    code = "file_empty"
    title = "The file is empty."


class FileTooLarge(FileRefused):
    code = "file_too_large"
    title = "The file is too large."


class FileTypeRefused(FileRefused):
    code = "file_type_refused"
    title = "Files of this type are not accepted here."


class FileUnreadable(FileRefused):
    code = "file_unreadable"
    title = "The file is damaged or is not what it says it is."


class ImageTooLarge(FileRefused):
    code = "image_dimensions_too_large"
    title = "The image has too many pixels."


class LinkRefused(Forbidden):
    """The signature is wrong, too old, for another document or of another organization."""

    code = "document_link_refused"
    title = "This link is not valid any more."


class StorageMisconfigured(RuntimeError):
    """STORAGE_URL names no kind of storage that we know."""


class ForeignPath(RuntimeError):
    """A stored path lies outside the present organization's folder."""


class PdfFailed(RuntimeError):
    """A template of ours does not compile with the data it was given."""


class StorageDown(DependencyDown):
    code = "document_storage_down"
    title = "The file storage does not answer."
