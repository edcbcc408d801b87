"""The system's key store behind a time limit: a locked or missing one must not hang the program."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from gsvr_tui.core.secret import Secret

SERVICE = "gsvr-tui"
TIME_LIMIT_S = 5.0
_NO_STORES = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")  # refuse, forget, or plain text
_Result = TypeVar("_Result")


class KeyringProblem(Exception):
    """The keyring can't be used: `message` says what happened, `advice` what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(f"{message} {advice}")
        self.message = message
        self.advice = advice


class SystemKeyring:
    """Keys in the system's store under the service name `gsvr-tui`.

    `backend` is a keyring backend; None finds the system's on first use. After a time-out it is not asked again:
    another five seconds would be lost for each key.
    """

    def __init__(self, backend: Any = None, *, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._backend = backend
        self._time_limit_s = time_limit_s
        self._looked = False
        self._note = ""
        self._name = ""

    @property
    def usable(self) -> bool:
        """True when there is a real store; does not open it."""
        self._look()
        return not self._note

    @property
    def note(self) -> str:
        """Why it is not usable; "" when it is."""
        self._look()
        return self._note

    @property
    def name(self) -> str:
        """The store's name for people."""
        self._look()
        return self._name

    def get(self, name: str) -> Secret | None:
        """The key called `name`, None when there is none. Raises KeyringProblem."""
        value = self._call(lambda backend: backend.get_password(SERVICE, name))
        return None if value is None else Secret(str(value))

    def set(self, name: str, secret: Secret) -> None:
        """Keep a key, and read it back. Raises KeyringProblem."""
        self._call(lambda backend: backend.set_password(SERVICE, name, secret.reveal()))
        if self.get(name) != secret:
            raise KeyringProblem(f"{self.name} did not keep the key.", "Use the vault: {vault: NAME}.")

    def delete(self, name: str) -> bool:
        """Remove a key; False when there was none. Raises KeyringProblem."""
        if self.get(name) is None:
            return False
        self._call(lambda backend: backend.delete_password(SERVICE, name))
        return True

    # ------------------------------------------------------------ inside

    def _look(self) -> None:
        if self._looked:
            return
        self._looked = True
        try:
            # even asking a backend whether it works may wait for D-Bus
            self._backend, self._name, real = self._in_time(lambda: _find(self._backend))
        except KeyringProblem as problem:
            self._note = problem.message
        else:
            self._note = "" if real else "This system has no key store the program can use."

    def _call(self, act: Callable[[Any], Any]) -> Any:
        if not self.usable:
            raise KeyringProblem(
                self._note, "Keep the key in the vault, or name a variable: {vault: NAME}, {env: NAME}."
            )
        return self._in_time(lambda: act(self._backend))

    def _in_time(self, act: Callable[[], _Result]) -> _Result:
        """`act()` in a thread of its own, which is left behind when it takes too long."""
        answers: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put((True, act()))
            except Exception as error:  # boundary: backends raise what they like, and texts of theirs may hold the key
                answers.put((False, type(error).__name__))

        threading.Thread(target=work, name="keyring", daemon=True).start()
        try:
            good, value = answers.get(timeout=self._time_limit_s)
        except queue.Empty:
            self._note = f"The system's key store did not answer within {self._time_limit_s:g} s."
            raise KeyringProblem(self._note, "Unlock it and start again, or keep the key in the vault.") from None
        if good:
            result: _Result = value
            return result
        if value == "KeyringLocked":
            raise KeyringProblem("The system's key store is locked.", "Unlock it, or keep the key in the vault.")
        raise KeyringProblem(
            f"The system's key store failed ({value}).", "Unlock it and try again, or keep the key in the vault."
        )


def _find(backend: Any) -> tuple[Any, str, bool]:
    """The given or the system's backend, its name for people, and whether it is a real one."""
    if backend is None:
        import keyring  # here, since looking for backends takes a while

        backend = keyring.get_keyring()
    return backend, str(getattr(backend, "name", type(backend).__name__)), _real(backend)


def _real(backend: Any) -> bool:
    """True for a store that keeps keys, and not in plain text."""
    kind = type(backend)
    if kind.__module__.startswith(_NO_STORES) or "plaintext" in kind.__name__.lower():
        return False
    try:
        if isinstance(backend, _chainer()):
            inner: list[Any] = list(backend.backends)
            return bool(inner) and all(_real(one) for one in inner)
        return float(backend.priority) > 0
    except Exception:  # boundary: a backend that can't work here raises what it likes
        return False


def _chainer() -> Any:
    from keyring.backends.chainer import ChainerBackend

    return ChainerBackend
