"""Live secrets taken out of any text, whatever form they are in.

Four ways a key gets into a text: as it is, encoded (URL, base64, JSON), in pieces (a cut message), or as one we never
saw (its shape gives it away). The first three come from a registry of live secrets, the last from patterns.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from gsvr_tui.core.secret import Secret

HIDDEN = "[redacted]"
PIECE = 10
"""A piece of this many characters of a secret is as good as the secret to someone who looks for it."""

_SHORTEST = 6  # shorter ones would take half of every text with them
_SHORTEST_IN_PIECES = 20  # demo names and short passphrases are common words
_PREFIXES = ("AIza", "AQ.")
_VALUE = r"""[^&\s"'\\<>\[\]]+"""
_SHAPES = re.compile(
    rf"(?P<name>(?<![\w-])(?:upload_id|key|api_key|access_token)=)(?P<value>{_VALUE})"
    rf"|(?P<header>(?i:x-goog-api-key|authorization)(?:\\?[\"']\s*[:,]|\s*[:=])\s*b?\\?[\"']?(?i:bearer\s+)?)(?P<content>{_VALUE})"
    r"|AIza[\w-]{10,}|(?<![A-Za-z0-9])AQ\.[\w.-]{10,}"
)
_RUN = re.compile(rf"[A-Za-z0-9+/_.%=-]{{{PIECE},}}")


@dataclass(frozen=True, slots=True, repr=False)
class _Known:
    """What the registry boils down to; replaced as a whole, so that readers need no lock."""

    whole: re.Pattern[str] | None = None
    pieces: frozenset[str] = frozenset()
    forms: frozenset[str] = field(default_factory=frozenset)


class Redactor:
    """Takes secrets out of texts. Thread-safe."""

    __slots__ = ("_known", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = _Known()

    def __repr__(self) -> str:
        return "Redactor()"

    def add(self, secret: Secret) -> None:
        """From now on `secret` is taken out. It stays known until the program ends: logs outlive accounts."""
        value = secret.reveal()
        if len(value) < _SHORTEST:
            return
        forms = _forms(value)
        with self._lock:
            known = self._known
            if forms <= known.forms:
                return
            if self is not _EVERYTHING:
                _EVERYTHING.add(secret)
            all_forms = known.forms | forms
            pieces = known.pieces | _pieces(value, forms)
            longest_first = sorted(all_forms, key=lambda form: (-len(form), form))
            self._known = _Known(re.compile("|".join(map(re.escape, longest_first))), pieces, all_forms)

    def redact(self, text: str) -> str:
        """`text` without secrets. Doing it twice changes nothing more."""
        known = self._known
        if known.whole is not None:
            text = known.whole.sub(HIDDEN, text)
        text = _SHAPES.sub(_hide_shape, text)
        if known.pieces:
            text = _RUN.sub(lambda match: _hide_pieces(match.group(), known.pieces), text)
        return text


_EVERYTHING = Redactor()


def everything_known() -> Redactor:
    """Knows every secret that any redactor of this process was ever told: for faults caught where none is at hand."""
    return _EVERYTHING


def _hide_shape(match: re.Match[str]) -> str:
    return (match["name"] or match["header"] or "") + HIDDEN


def _hide_pieces(run: str, pieces: frozenset[str]) -> str:
    """`run` without every stretch that is covered by known pieces."""
    hits = [index for index in range(len(run) - PIECE + 1) if run[index : index + PIECE] in pieces]
    if not hits:
        return run
    result, start, end = "", hits[0], hits[0] + PIECE  # of the stretch at hand
    shown = 0
    for index in hits[1:]:
        if index > end:
            result += run[shown:start] + HIDDEN
            start, shown = index, end
        end = index + PIECE
    return result + run[shown:start] + HIDDEN + run[end:]


def _forms(value: str) -> frozenset[str]:
    data = value.encode("utf-8", "surrogateescape")
    forms = {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        forms.add(encode(data).decode("ascii").rstrip("="))
        forms |= {_inner_base64(data, shift, encode(b"\0" * shift + data).decode("ascii")) for shift in (1, 2)}
    return frozenset(form for form in forms if len(form) >= _SHORTEST)


def _inner_base64(data: bytes, shift: int, encoded: str) -> str:
    """What of base64 depends on `data` alone when `shift` unknown bytes (of every three) stand before it."""
    first = -(-shift * 8 // 6)
    last = (shift + len(data)) * 8 // 6
    return encoded[first:last]


def _pieces(value: str, forms: frozenset[str]) -> frozenset[str]:
    prefix = next((prefix for prefix in _PREFIXES if value.startswith(prefix)), "")
    if len(value) - len(prefix) < _SHORTEST_IN_PIECES:
        return frozenset()
    found = set()
    for form in forms:
        body = form.removeprefix(prefix)
        found |= {body[index : index + PIECE] for index in range(len(body) - PIECE + 1)}
    return frozenset(found)
