"""Canary keys, and the search for them in everything that a run leaves behind."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

PIECE = 10


class Canary:
    """A key that is in no other text of the world, and all forms it could get out in."""

    def __init__(self, body: str, prefix: str = "AQ.") -> None:
        self.value = prefix + body
        self._body = body
        data = self.value.encode()
        encoded = {base64.b64encode(b"\0" * shift + data).decode()[4 if shift else 0 : -4] for shift in range(3)}
        self._pieces = {
            form[at : at + PIECE].encode()
            for form in {body, quote(body, safe=""), data.hex(), *encoded}
            for at in range(len(form) - PIECE + 1)
        }

    def __repr__(self) -> str:
        return f"Canary(…{self._body[-4:]})"

    def in_data(self, data: bytes) -> str:
        """The piece that is in it, or ""."""
        windows = {data[at : at + PIECE] for at in range(len(data) - PIECE + 1)}
        return next((piece.decode() for piece in self._pieces & windows), "")


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Everything below a folder: names, files, and what is packed in archives."""
    for path in sorted(folder.rglob("*")):
        yield f"the name {path.name}", str(path).encode("utf-8", "surrogateescape")
        if path.is_file() and not path.is_symlink():
            yield str(path), path.read_bytes()
            if path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    yield from ((f"{path}:{name}", archive.read(name)) for name in archive.namelist())


def leaks(canaries: list[Canary], folder: Path, **texts: str) -> list[str]:
    """Where a canary is, whole or in pieces; empty when nowhere."""
    found = []
    sources = [*contents(folder), *((name, text.encode("utf-8", "surrogateescape")) for name, text in texts.items())]
    for where, data in sources:
        for canary in canaries:
            piece = canary.in_data(data)
            if piece:
                at = data.find(piece.encode())
                found.append(f"{canary} in {where}: …{data[max(0, at - 60) : at + 40]!r}…")
    return found
