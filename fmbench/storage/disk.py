"""What a disk, or the system's limit of open files, refuses: in words that say what to do."""

from __future__ import annotations

import errno

_CURES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room in your quota there",
    errno.EROFS: "it can only be read: give another place",
    errno.EIO: "its disk fails: give another place",
    errno.EFBIG: "files there may not be so large: give another place",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "the whole system has too many files open: end other programs",
}


def said_of(error: BaseException) -> str | None:
    """``<path>: No space left on device; make room there``, for an error that lies with the machine; None for any other."""
    if not isinstance(error, OSError) or error.errno not in _CURES:
        return None
    name = error.filename2 or error.filename
    return f"{f'{name}: ' if name else ''}{error.strerror}; {_CURES[error.errno]}"
