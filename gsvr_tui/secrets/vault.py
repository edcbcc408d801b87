"""The encrypted vault: one small file that holds keys, opened with a passphrase.

    {"format":"gsvr-vault","version":1,"sha256":hex over the rest,
     "kdf":{"name":"scrypt","n":…,"r":…,"p":…,"salt":b64},
     "wrapped":{"nonce":b64,"ct":b64},   the data key under the passphrase's key
     "check":{"nonce":b64,"ct":b64},     a known text under the passphrase's key: tells a wrong passphrase from damage
     "items":{"nonce":b64,"ct":b64}}     all keys under the data key, padded to steps of 1 KiB

AES-256-GCM everywhere, a new random nonce per write; the associated data hold the KDF's parameters and the part's name,
so that parts and parameters can't be swapped. The hash only diagnoses, it protects nothing.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gsvr_tui.config.places import PRIVATE_FILE, repair_mode
from gsvr_tui.config.private_file import create_private, write_private
from gsvr_tui.core.secret import Secret

if sys.platform != "win32":
    import fcntl

DEFAULT_N = 1 << 17  # 128 MiB, about a quarter of a second
_R, _P = 8, 1
LEAST_N, _MOST_N, _MOST_R, _MOST_P = 1 << 15, 1 << 20, 16, 16
_FORMAT, _VERSION = "gsvr-vault", 1
_CHECK = b"gsvr-vault check"
_PAD = 1024
_MOST_BYTES = 8 << 20
_PARTS = ("wrapped", "check", "items")


class VaultError(Exception):
    """The vault can't be used: `message` says what happened, `advice` what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(f"{message} {advice}".strip())
        self.message = message
        self.advice = advice


class WrongPassphrase(VaultError):
    """The file is whole, the passphrase is another one's."""


class VaultDamaged(VaultError):
    """The file is not what was written."""


class VaultRefused(VaultError):
    """The file is of a newer version, or asks for parameters that are not safe."""


@dataclass(frozen=True, slots=True)
class _Kdf:
    n: int
    r: int
    p: int
    salt: bytes

    def document(self) -> dict[str, Any]:
        return {"name": "scrypt", "n": self.n, "r": self.r, "p": self.p, "salt": _b64(self.salt)}

    def derive(self, passphrase: Secret) -> AESGCM:
        text = unicodedata.normalize("NFC", passphrase.reveal())
        key = Scrypt(salt=self.salt, length=32, n=self.n, r=self.r, p=self.p).derive(text.encode("utf-8"))
        return AESGCM(key)

    def aad(self, part: str) -> bytes:
        return f"{_FORMAT}|{_VERSION}|".encode() + _canonical(self.document()) + part.encode()


@dataclass(frozen=True, slots=True)
class _File:
    """A parsed vault file, not opened."""

    kdf: _Kdf
    parts: Mapping[str, tuple[bytes, bytes]]  # nonce, ciphertext


class Vault:
    """The vault at `path`. Made and opened by the passphrase; afterwards `get`, `put` and `delete` need it no more.

    Not thread-safe; several processes may use one file. Opening takes a quarter of a second and 128 MiB: not in an
    event loop. `n` is scrypt's cost for new passphrases.
    """

    def __init__(self, path: Path, *, n: int = DEFAULT_N, random: Callable[[int], bytes] = os.urandom) -> None:
        if not _sound(n, _R, _P):
            raise ValueError(f"scrypt's n must be a power of two of at least {LEAST_N}")
        self._path = path
        self._n = n
        self._random = random
        self._data_key: AESGCM | None = None
        self._data_key_bytes = b""
        self._file: _File | None = None
        self._items: dict[str, Secret] = {}
        self.notices: list[str] = []

    def __repr__(self) -> str:
        return f"Vault({str(self._path)!r}, {'unlocked' if self.unlocked else 'locked'})"

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    @property
    def backup(self) -> Path:
        """The content before the last change."""
        return self._path.with_name(self._path.name + ".bak")

    @property
    def exists(self) -> bool:
        """True when there is a vault file."""
        return self._path.exists()

    @property
    def unlocked(self) -> bool:
        """True after `create` or `unlock`."""
        return self._data_key is not None

    def create(self, passphrase: Secret) -> None:
        """Make an empty vault. Raises VaultError when there is one, or when the passphrase is empty."""
        _refuse_empty(passphrase)
        with self._locked():
            if self.exists or self.backup.exists():
                raise VaultError(f"There is a vault already: {self._path}", "Open it, or move it and its .bak away.")
            self._new_data_key()
            self._file = self._wrap(passphrase)
            self._write({})

    def unlock(self, passphrase: Secret) -> None:
        """Open the vault. Raises WrongPassphrase, VaultDamaged, VaultRefused, or VaultError when there is none."""
        _refuse_empty(passphrase)
        with contextlib.suppress(OSError):  # another's file: reading it says so below
            notice = repair_mode(self._path, PRIVATE_FILE)
            if notice:
                self.notices.append(notice)
        file = self._read()
        key = file.kdf.derive(passphrase)
        try:
            good = key.decrypt(*file.parts["check"], file.kdf.aad("check")) == _CHECK
        except InvalidTag:
            raise WrongPassphrase("Wrong passphrase for the vault.", "Try again; upper and lower case count.") from None
        try:
            data_key = key.decrypt(*file.parts["wrapped"], file.kdf.aad("wrapped"))
        except InvalidTag:
            raise self._damaged() from None
        if not good or len(data_key) != 32:
            raise self._damaged()
        cipher = AESGCM(data_key)
        self._items = self._open_items(file, cipher)
        self._data_key, self._data_key_bytes, self._file = cipher, data_key, file

    def lock(self) -> None:
        """Forget what was opened (as far as Python can forget)."""
        self._data_key, self._data_key_bytes, self._file, self._items = None, b"", None, {}

    def names(self) -> tuple[str, ...]:
        """The names of the keys in it, sorted."""
        self._need_open()
        return tuple(sorted(self._items))

    def get(self, name: str) -> Secret:
        """The key called `name`. Raises KeyError."""
        self._need_open()
        return self._items[name]

    def put(self, name: str, secret: Secret) -> None:
        """Keep a key, in place of one of the same name."""

        def change(items: dict[str, Secret]) -> None:
            items[name] = secret

        self._change(change)

    def delete(self, name: str) -> None:
        """Remove a key, also from the backup. Raises KeyError."""
        self._change(lambda items: items.pop(name))
        self._refresh_backup()

    def change_passphrase(self, old: Secret, new: Secret, *, rotate: bool = False) -> None:
        """Close the vault with another passphrase; `rotate` makes a new data key too.

        The backup, which the old passphrase still opens, is replaced once the new file has been opened.
        """
        _refuse_empty(new)
        with self._locked():
            self.unlock(old)
            items = dict(self._items)
            if rotate:
                self._new_data_key()
            self._file = self._wrap(new)
            self._write(items)
        self.unlock(new)
        if self._items != items:
            raise self._damaged()
        self._refresh_backup()

    # ------------------------------------------------------------ inside

    def _need_open(self) -> tuple[AESGCM, _File]:
        if self._data_key is None or self._file is None:
            raise VaultError("The vault is locked.", "Open it with its passphrase.")
        return self._data_key, self._file

    def _new_data_key(self) -> None:
        self._data_key_bytes = self._random(32)
        self._data_key = AESGCM(self._data_key_bytes)

    def _wrap(self, passphrase: Secret) -> _File:
        kdf = _Kdf(self._n, _R, _P, self._random(16))
        key = kdf.derive(passphrase)
        parts = {}
        for part, plain in (("wrapped", self._data_key_bytes), ("check", _CHECK)):
            nonce = self._random(12)
            parts[part] = (nonce, key.encrypt(nonce, plain, kdf.aad(part)))
        return _File(kdf, parts)

    def _change(self, change: Callable[[dict[str, Secret]], object]) -> None:
        self._need_open()
        with self._locked():
            key, _ = self._need_open()
            file = self._read()  # another process may have written meanwhile
            try:
                items = self._open_items(file, key)
            except VaultDamaged:
                self.lock()
                raise VaultError(
                    "The vault was changed by another program meanwhile.", "Open it again with its passphrase."
                ) from None
            self._file = file
            change(items)
            self._write(items)

    def _open_items(self, file: _File, key: AESGCM) -> dict[str, Secret]:
        try:
            plain = key.decrypt(*file.parts["items"], file.kdf.aad("items"))
            items = json.loads(plain)
        except (InvalidTag, ValueError):
            raise self._damaged() from None
        return {name: Secret(value) for name, value in items.items()}

    def _write(self, items: dict[str, Secret]) -> None:
        key, file = self._need_open()
        plain = _canonical({name: secret.reveal() for name, secret in items.items()})
        plain += b" " * (-len(plain) % _PAD)
        nonce = self._random(12)
        file = _File(file.kdf, {**file.parts, "items": (nonce, key.encrypt(nonce, plain, file.kdf.aad("items")))})
        if self._path.exists():
            write_private(self.backup, self._path.read_bytes())
        write_private(self._path, _serialise(file))
        self._file, self._items = file, items

    def _refresh_backup(self) -> None:
        with self._locked():
            write_private(self.backup, self._path.read_bytes())

    def _read(self) -> _File:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            if self.backup.exists():
                raise self._damaged("The vault's file is gone") from None
            raise VaultError("There is no vault yet.", "Add an account, which makes one.") from None
        except OSError as error:
            raise VaultError(
                f"The vault can't be read: {error.strerror}.", f"Make {self._path} readable for you."
            ) from None
        try:
            return _parse(data)
        except _Broken:
            raise self._damaged() from None

    def _damaged(self, what: str = "The vault's file is damaged") -> VaultDamaged:
        if self.backup.exists():
            advice = f"The state before the last change is in {self.backup.name}: copy it over {self._path.name}."
        else:
            advice = f"Remove {self._path} and add the accounts again."
        return VaultDamaged(f"{what} ({self._path}).", advice)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, over all processes."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform == "win32":
            yield
            return
        descriptor = create_private(self._path.with_name(self._path.name + ".lock"), exclusive=False)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


# ---------------------------------------------------------------- the file's form


class _Broken(Exception):
    """Not a vault file, or one whose hash is wrong."""


def _serialise(file: _File) -> bytes:
    rest: dict[str, Any] = {"format": _FORMAT, "version": _VERSION, "kdf": file.kdf.document()}
    for part in _PARTS:
        nonce, text = file.parts[part]
        rest[part] = {"nonce": _b64(nonce), "ct": _b64(text)}
    document = {**rest, "sha256": hashlib.sha256(_canonical(rest)).hexdigest()}
    return _canonical(document) + b"\n"


def _parse(data: bytes) -> _File:
    """Raises _Broken, or VaultRefused for a whole file that must not be opened."""
    if len(data) > _MOST_BYTES:
        raise _Broken
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_no_twins)
        digest = document.pop("sha256")
        if digest != hashlib.sha256(_canonical(document)).hexdigest() or document.pop("format") != _FORMAT:
            raise _Broken
        version = document.pop("version")
        if type(version) is int and version > _VERSION:
            raise VaultRefused("The vault was made by a newer gsvr-tui.", "Update gsvr-tui.")
        kdf = _parse_kdf(document.pop("kdf"))
        parts = {part: (_unb64(document[part]["nonce"]), _unb64(document[part]["ct"])) for part in _PARTS}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _Broken from None
    whole = set(document) == set(_PARTS) and all(set(document[part]) == {"nonce", "ct"} for part in _PARTS)
    if version != _VERSION or not whole or any(len(nonce) != 12 for nonce, _ in parts.values()):
        raise _Broken
    return _File(kdf, parts)


def _parse_kdf(kdf: dict[str, Any]) -> _Kdf:
    n, r, p, salt = kdf["n"], kdf["r"], kdf["p"], _unb64(kdf["salt"])
    if kdf["name"] != "scrypt" or len(kdf) != 5 or not all(type(number) is int for number in (n, r, p)):
        raise _Broken
    if not _sound(n, r, p) or len(salt) < 16:
        raise VaultRefused(
            "The vault asks for parameters that are not safe; someone may have changed the file.",
            "Put back the file from a backup you trust.",
        )
    return _Kdf(n, r, p, salt)


def _sound(n: int, r: int, p: int) -> bool:
    """Neither too cheap to guess (a downgrade) nor so dear that opening it stops the machine."""
    return LEAST_N <= n <= _MOST_N and n & (n - 1) == 0 and _R <= r <= _MOST_R and 1 <= p <= _MOST_P


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise _Broken
    return result


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _Broken from None
    if _b64(data) != text:
        raise _Broken
    return data


def _refuse_empty(passphrase: Secret) -> None:
    if not passphrase:
        raise VaultError("The passphrase is empty.", "Choose one of several words.")
