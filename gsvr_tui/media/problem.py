"""MediaProblem: what is wrong with a video file, in words for the person who chose it."""

from __future__ import annotations


class MediaProblem(Exception):
    """A file can't be used.

    `code` is stable: MISSING, EMPTY, UNREADABLE, NOT_A_FILE, NOT_A_VIDEO, NO_VIDEO, TRUNCATED, TOO_BIG, UNSUPPORTED,
    SOURCE_CHANGED, CANCELLED, NO_ROOM. `message` says what is wrong, `advice` what to do. Neither holds the file's
    name, which is not clean text; the caller knows which file it asked about.
    """

    def __init__(self, code: str, message: str, advice: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.advice = advice
