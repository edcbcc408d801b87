"""Keys found and kept: in environment variables, the system's keyring, or the vault. Never anywhere else."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsvr_tui.config.places import Places
from gsvr_tui.core.models import KeyRef
from gsvr_tui.core.secret import Secret
from gsvr_tui.core.text import clean_text
from gsvr_tui.secrets.system_keyring import KeyringProblem, SystemKeyring
from gsvr_tui.secrets.vault import DEFAULT_N, Vault, VaultDamaged, VaultError, WrongPassphrase

PASSPHRASE = "GSVR_PASSPHRASE"  # noqa: S105 (the name of a variable)
PASSPHRASE_FILE = "GSVR_PASSPHRASE_FILE"  # noqa: S105
KINDS = ("env", "keyring", "vault", "memory")
_TRIES = 3
_MOST_PASSPHRASE = 4096
_PLACEHOLDERS = ("YOUR_", "your-", "DEMO_API_KEY", "<", "xxx", "XXX")


class KeyProblem(Exception):
    """A key can't be had or kept. `code` is stable; `message` says what happened, `advice` what to do."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(f"{message} {advice}".strip())
        self.code = code
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class KeyStoreFacts:
    """What a wizard or a doctor wants to know. Asking opens nothing and prompts for nothing."""

    default_kind: str  # keyring or vault
    keyring_ok: bool
    keyring_name: str
    keyring_note: str  # why not, when it is not ok
    vault_path: Path
    vault_exists: bool
    vault_unlocked: bool
    passphrase_source: str  # GSVR_PASSPHRASE_FILE, GSVR_PASSPHRASE, prompt or ""
    notices: tuple[str, ...] = ()  # repaired modes and the like


class KeyStore:
    """Thread-safe. `resolve` and `put` may take seconds (keyring, scrypt): not in an event loop.

    `passphrase` asks the user and is None where nobody can be asked; None or an empty Secret from it is "cancelled".
    `on_secret` is told every secret that passes, such as `Redactor.add`. `env` loses GSVR_PASSPHRASE once it is read.
    """

    def __init__(
        self,
        places: Places,
        env: Mapping[str, str],
        *,
        passphrase: Callable[[], Secret | None] | None = None,
        keyring_backend: Any = None,
        memory: Mapping[str, Secret] | None = None,
        on_secret: Callable[[Secret], None] | None = None,
        vault_n: int = DEFAULT_N,
    ) -> None:
        self._env = env
        self._ask = passphrase
        self._keyring = SystemKeyring(keyring_backend)
        self._memory = dict(memory or {})
        self._on_secret = on_secret or (lambda secret: None)
        self._vault = Vault(places.vault_file, n=vault_n)
        self._given: Secret | None = None  # the passphrase of GSVR_PASSPHRASE, which is gone from env
        self._gave_up: KeyProblem | None = None  # do not ask again for each of ten accounts
        self._lock = threading.RLock()

    # ------------------------------------------------------------ keys

    def resolve(self, ref: KeyRef) -> Secret:
        """The key behind `ref`. Raises KeyProblem."""
        with self._lock:
            if ref.kind == "env":
                secret = self._from_env(ref.name)
            elif ref.kind == "keyring":
                secret = self._from_keyring(ref.name)
            elif ref.kind == "vault":
                secret = self._from_vault(ref.name)
            elif ref.kind == "memory":
                if ref.name not in self._memory:
                    raise _no_such(ref)
                secret = self._memory[ref.name]
            else:
                raise _unknown_kind(ref.kind)
        secret = _checked(secret, f"The key in {ref.kind} {_shown(ref.name)}")
        self._on_secret(secret)
        return secret

    def put(self, kind: str, name: str, secret: Secret, *, passphrase: Secret | None = None) -> KeyRef:
        """Keep a key; one of the same name is replaced. `passphrase` opens or makes the vault. Raises KeyProblem."""
        self._on_secret(secret)
        secret = _checked(secret, "The key")
        self._on_secret(secret)  # the two differ when blanks were around it
        with self._lock:
            if kind == "vault":
                self._open_vault(passphrase, may_create=True)
                self._in_vault(lambda: self._vault.put(name, secret))
            elif kind == "keyring":
                try:
                    self._keyring.set(name, secret)
                except KeyringProblem as problem:
                    raise KeyProblem("KEYRING", problem.message, problem.advice) from None
            elif kind == "memory":
                self._memory[name] = secret
            elif kind == "env":
                raise KeyProblem(
                    "ENV_READ_ONLY", "A variable can't be set for later by a program.", f"Set {_shown(name)} yourself."
                )
            else:
                raise _unknown_kind(kind)
        return KeyRef(kind, name)

    def delete(self, ref: KeyRef) -> bool:
        """Remove a stored key; False when there was none, or when it lies in a variable. Raises KeyProblem."""
        with self._lock:
            if ref.kind == "memory":
                return self._memory.pop(ref.name, None) is not None
            if ref.kind == "keyring":
                try:
                    return self._keyring.delete(ref.name)
                except KeyringProblem as problem:
                    raise KeyProblem("KEYRING", problem.message, problem.advice) from None
            if ref.kind == "vault":
                if not (self._vault.exists or self._vault.backup.exists()):
                    return False
                self._open_vault(None)
                if ref.name not in self._vault.names():
                    return False
                self._in_vault(lambda: self._vault.delete(ref.name))
                return True
            if ref.kind == "env":
                return False
        raise _unknown_kind(ref.kind)

    # ------------------------------------------------------------ the vault

    def unlock(self, passphrase: Secret) -> None:
        """Open the vault with what the user typed. Raises KeyProblem; another try may follow."""
        with self._lock:
            self._gave_up = None
            self._open_vault(passphrase)

    def change_passphrase(self, old: Secret, new: Secret) -> None:
        """Close the vault with another passphrase. Raises KeyProblem."""
        with self._lock:
            self._on_secret(new)
            self._in_vault(lambda: self._vault.change_passphrase(old, new, rotate=True))

    def default_kind(self) -> str:
        """Where a new key goes by itself: the system's keyring if there is a real one, else the vault."""
        return "keyring" if self._keyring.usable else "vault"

    def describe(self) -> KeyStoreFacts:
        """How things stand."""
        with self._lock:
            return KeyStoreFacts(
                default_kind=self.default_kind(),
                keyring_ok=self._keyring.usable,
                keyring_name=self._keyring.name,
                keyring_note=self._keyring.note,
                vault_path=self._vault.path,
                vault_exists=self._vault.exists,
                vault_unlocked=self._vault.unlocked,
                passphrase_source=self._source(),
                notices=tuple(self._vault.notices),
            )

    # ------------------------------------------------------------ inside

    def _from_env(self, name: str) -> Secret:
        value = self._env.get(name)
        if value is None:
            raise KeyProblem(
                "ENV_NOT_SET",
                f"The variable {_shown(name)} is not set.",
                f"Set {_shown(name)} to the key before starting, or keep the key in the keyring or vault.",
            )
        return Secret(value)

    def _from_keyring(self, name: str) -> Secret:
        try:
            secret = self._keyring.get(name)
        except KeyringProblem as problem:
            raise KeyProblem("KEYRING", problem.message, problem.advice) from None
        if secret is None:
            raise _no_such(KeyRef("keyring", name))
        return secret

    def _from_vault(self, name: str) -> Secret:
        self._open_vault(None)
        try:
            return self._vault.get(name)
        except KeyError:
            raise _no_such(KeyRef("vault", name)) from None

    def _open_vault(self, passphrase: Secret | None, *, may_create: bool = False) -> None:
        if self._vault.unlocked:
            return
        if self._gave_up and passphrase is None:
            raise self._gave_up
        create = may_create and not self._vault.exists and not self._vault.backup.exists()
        if not create and not self._vault.exists and not self._vault.backup.exists():
            raise KeyProblem("VAULT_MISSING", "There is no vault yet.", "Add the account again; that makes one.")
        given, source = (passphrase, "") if passphrase is not None else self._passphrase_from_env()
        if given is not None:
            self._on_secret(given)
            try:
                self._in_vault(lambda: self._vault.create(given) if create else self._vault.unlock(given))
            except KeyProblem as problem:
                if source and problem.code == "VAULT_PASSPHRASE":
                    problem = KeyProblem(problem.code, f"{source} is not the vault's passphrase.", f"Correct {source}.")
                self._gave_up = None if passphrase is not None else problem
                raise problem from None
            self._gave_up = None
            return
        self._ask_and_open(create)

    def _ask_and_open(self, create: bool) -> None:
        if self._ask is None:
            self._gave_up = KeyProblem(
                "VAULT_LOCKED",
                "The vault is locked and nobody can be asked for its passphrase.",
                f"Put it into a file only you can read and name that in {PASSPHRASE_FILE}, or start in a terminal.",
            )
            raise self._gave_up
        for attempt in range(1, _TRIES + 1):
            given = self._ask()
            if not given:
                self._gave_up = KeyProblem(
                    "VAULT_LOCKED", "The vault stays locked.", "Give its passphrase to use the accounts in it."
                )
                raise self._gave_up
            self._on_secret(given)
            try:
                self._in_vault(lambda: self._vault.create(given) if create else self._vault.unlock(given))  # noqa: B023
            except KeyProblem as problem:
                if problem.code != "VAULT_PASSPHRASE" or attempt == _TRIES:
                    self._gave_up = problem
                    raise
            else:
                return

    def _in_vault(self, act: Callable[[], None]) -> None:
        try:
            act()
        except WrongPassphrase as error:
            raise KeyProblem("VAULT_PASSPHRASE", error.message, error.advice) from None
        except VaultDamaged as error:
            raise KeyProblem("VAULT_DAMAGED", error.message, error.advice) from None
        except VaultError as error:
            raise KeyProblem("VAULT", error.message, error.advice) from None
        except OSError as error:
            why = error.strerror or "unknown error"
            raise KeyProblem(
                "VAULT_WRITE",
                f"The vault can't be written: {why}.",
                "Nothing was changed; make room or the folder writable.",
            ) from None

    def _source(self) -> str:
        if self._env.get(PASSPHRASE_FILE):
            return PASSPHRASE_FILE
        if self._given is not None or self._env.get(PASSPHRASE):
            return PASSPHRASE
        return "prompt" if self._ask is not None else ""

    def _passphrase_from_env(self) -> tuple[Secret | None, str]:
        file = self._env.get(PASSPHRASE_FILE)
        if file:
            return _read_passphrase(Path(file).expanduser()), f"The passphrase in {PASSPHRASE_FILE}"
        value = self._env.get(PASSPHRASE)
        if value:
            self._given = Secret(value)
            if isinstance(self._env, MutableMapping):
                del self._env[PASSPHRASE]  # children do not inherit it
        return self._given, PASSPHRASE


def _read_passphrase(path: Path) -> Secret:
    def problem(what: str, advice: str) -> KeyProblem:
        return KeyProblem("PASSPHRASE_FILE", f"{PASSPHRASE_FILE}: {clean_text(str(path))} {what}.", advice)

    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise problem("is not a regular file", "Name a file.")
            if os.name != "nt" and facts.st_mode & 0o077:
                raise problem("can be read by other users of this machine", f"Run: chmod 600 {clean_text(str(path))}")
            text = file.read(_MOST_PASSPHRASE + 1).decode("utf-8")
    except OSError as error:
        raise problem(f"can't be read: {error.strerror or 'unknown error'}", "Correct the variable.") from None
    except UnicodeDecodeError:
        raise problem("is not UTF-8 text", "Write the passphrase as UTF-8 text.") from None
    text = text.removesuffix("\n").removesuffix("\r")  # editors end a file so; nothing else is trimmed
    if not text or len(text) > _MOST_PASSPHRASE:
        raise problem("is empty" if not text else "is too long", "It holds the passphrase and nothing else.")
    return Secret(text)


def _checked(secret: Secret, what: str) -> Secret:
    """The key without blanks around it; a KeyProblem when it can't be one. Its shape says nothing: shapes change."""
    value = secret.reveal().strip()
    advice = "Copy the key from AI Studio again and keep nothing around it."
    if not value:
        raise KeyProblem("KEY_EMPTY", f"{what} is empty.", advice)
    if not value.isascii() or not value.isprintable() or " " in value:
        raise KeyProblem("KEY_MALFORMED", f"{what} holds blanks or characters no key has.", advice)
    if value.startswith(_PLACEHOLDERS):
        raise KeyProblem("KEY_PLACEHOLDER", f"{what} is only a placeholder.", advice)
    return Secret(value)


def _no_such(ref: KeyRef) -> KeyProblem:
    return KeyProblem(
        "KEY_MISSING",
        f"There is no key called {_shown(ref.name)} in the {ref.kind}.",
        "Add the account again with its key, or correct the name in the config.",
    )


def _unknown_kind(kind: str) -> KeyProblem:
    return KeyProblem("KEY_KIND", f"Keys are not kept in {_shown(kind)}.", f"Use one of {', '.join(KINDS[:3])}.")


def _shown(name: str) -> str:
    return clean_text(name)[:80]
