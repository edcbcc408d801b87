"""A last look over what is about to leave this machine: is there a key in it, whole, encoded or in pieces?

It shares nothing with the redactor that ran before it, so that a fault there is noticed here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

from gsvr_tui.core.secret import Secret

PIECE = 10
_LEAST = 16  # a shorter one is no key of any service, and its pieces would be common words
_KNOWN_STARTS = ("AIza", "AQ.")
_SHAPES = re.compile(
    r"AIza[\w-]{20,}|(?<![A-Za-z0-9])AQ\.[\w.-]{20,}|upload_id=[\w%.-]{10,}|(?i:x-goog-api-key)[\"']?\s*[:=]\s*[\"']?[\w.-]{10,}"
    r"|ya29\.[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)


class LeakScan:
    """Holds the pieces of all keys it was given."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._pieces: set[str] = set()
        self.keys = 0
        for secret in secrets:
            value = secret.reveal()
            if len(value) < _LEAST:
                continue
            self.keys += 1
            for form in self._forms(value):
                self._pieces.update(form[at : at + PIECE] for at in range(len(form) - PIECE + 1))

    def __repr__(self) -> str:
        return f"LeakScan({self.keys} keys)"

    @staticmethod
    def _forms(value: str) -> set[str]:
        body = next((value.removeprefix(start) for start in _KNOWN_STARTS if value.startswith(start)), value)
        data = value.encode()
        forms = {body, body[::-1], quote(body, safe=""), data.hex()}
        for shift in range(3):  # base64 of a text that holds the key begins at any of three places
            encoded = base64.b64encode(b"\0" * shift + data).decode()
            forms.add(encoded[4 if shift else 0 : -4])
        return forms

    def find(self, text: str) -> str:
        """What kind of secret is in `text`, in words that do not show it; "" when there is none."""
        if _SHAPES.search(text):
            return "something of the shape of a key"
        if any(text[at : at + PIECE] in self._pieces for at in range(len(text) - PIECE + 1)):
            return "a piece of a key of yours"
        return ""
