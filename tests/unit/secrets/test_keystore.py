"""Keys are found where the config says, or the user is told what to do; nothing hangs and nothing is asked twice."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked

from gsvr_tui.config.places import Places, find_places
from gsvr_tui.core.models import KeyRef
from gsvr_tui.core.secret import Secret
from gsvr_tui.secrets.keystore import KeyProblem, KeyStore
from gsvr_tui.secrets.system_keyring import KeyringProblem, SystemKeyring
from gsvr_tui.secrets.vault import LEAST_N

KEY = Secret("AQ." + "CANARY" + "x1Y2z3" * 6)
OTHER = Secret("AIza" + "Sy" + "Canary7" * 5)
WORDS = "some words that are long"


def backend_of(kind: Any) -> Any:
    """An instance; the library's classes have no types."""
    return kind()


class MemoryKeyring(KeyringBackend):
    """A real backend as far as the program can see."""

    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class PlaintextKeyring(MemoryKeyring):
    """As keyrings.alt has it."""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = find_places({"GSVR_HOME": str(tmp_path / "home")})
    found.ensure()
    return found


@pytest.fixture
def store(places: Places) -> Callable[..., KeyStore]:
    def make(env: dict[str, str] | None = None, **more: Any) -> KeyStore:
        more.setdefault("keyring_backend", backend_of(fail.Keyring))
        return KeyStore(places, {} if env is None else env, vault_n=LEAST_N, **more)

    return make


def problem(act: Callable[[], object]) -> KeyProblem:
    with pytest.raises(KeyProblem) as caught:
        act()
    assert caught.value.message
    assert caught.value.advice
    for key in (KEY, OTHER):
        assert key.reveal()[5:15] not in str(caught.value) + repr(caught.value)
    return caught.value


class Asker:
    """A user at a prompt."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self) -> Secret | None:
        self.asked += 1
        return Secret(self.answers.pop(0)) if self.answers else None


# ---------------------------------------------------------------- variables


def test_a_key_comes_from_the_variable_that_is_named(store: Any) -> None:
    assert store({"MY_KEY": KEY.reveal()}).resolve(KeyRef("env", "MY_KEY")) == KEY


def test_blanks_around_a_pasted_key_do_no_harm(store: Any) -> None:
    assert store({"MY_KEY": f" {KEY.reveal()}\n"}).resolve(KeyRef("env", "MY_KEY")) == KEY


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "ENV_NOT_SET"),
        ("", "KEY_EMPTY"),
        ("  \n", "KEY_EMPTY"),
        ("two words", "KEY_MALFORMED"),
        ("clé", "KEY_MALFORMED"),
        ("a\nb", "KEY_MALFORMED"),
        ("YOUR_GEMINI_API_KEY_HERE", "KEY_PLACEHOLDER"),
        ("your-gemini-api-key-here", "KEY_PLACEHOLDER"),
    ],
)
def test_a_variable_without_a_key_is_told_by_its_name(store: Any, value: str | None, code: str) -> None:
    env = {} if value is None else {"MY_KEY": value}
    found = problem(lambda: store(env).resolve(KeyRef("env", "MY_KEY")))
    assert found.code == code
    assert "MY_KEY" in found.message


def test_a_key_of_any_shape_is_taken(store: Any) -> None:
    assert store({"K": "sk-new-shape"}).resolve(KeyRef("env", "K")) == Secret("sk-new-shape")


def test_a_variable_can_t_be_written(store: Any) -> None:
    assert problem(lambda: store().put("env", "MY_KEY", KEY)).code == "ENV_READ_ONLY"
    assert not store({"MY_KEY": "x"}).delete(KeyRef("env", "MY_KEY"))


def test_an_unknown_place_is_refused(store: Any) -> None:
    for act in (
        lambda: store().resolve(KeyRef("file", "x")),
        lambda: store().put("file", "x", KEY),
        lambda: store().delete(KeyRef("file", "x")),
    ):
        assert problem(act).code == "KEY_KIND"


def test_memory_is_for_the_demo(store: Any) -> None:
    keys = store(memory={"demo": KEY})
    assert keys.resolve(KeyRef("memory", "demo")) == KEY
    assert keys.resolve(keys.put("memory", "more", OTHER)) == OTHER
    assert keys.delete(KeyRef("memory", "demo"))
    assert problem(lambda: keys.resolve(KeyRef("memory", "demo"))).code == "KEY_MISSING"


# ---------------------------------------------------------------- keyring


def test_a_real_keyring_keeps_keys_and_is_the_first_choice(store: Any) -> None:
    backend = MemoryKeyring()
    keys = store(keyring_backend=backend)
    assert keys.default_kind() == "keyring"
    ref = keys.put("keyring", "main", KEY)
    assert backend.kept == {("gsvr-tui", "main"): KEY.reveal()}
    assert keys.resolve(ref) == KEY
    assert keys.delete(ref)
    assert not keys.delete(ref)
    assert problem(lambda: keys.resolve(ref)).code == "KEY_MISSING"


@pytest.mark.parametrize(
    "backend",
    [
        backend_of(fail.Keyring),
        backend_of(null.Keyring),
        PlaintextKeyring(),
        type("Idle", (MemoryKeyring,), {"priority": 0})(),
        type("Broken", (MemoryKeyring,), {"priority": property(lambda self: 1 / 0)})(),
    ],
    ids=lambda backend: type(backend).__name__,
)
def test_what_only_looks_like_a_keyring_is_not_used(store: Any, backend: Any) -> None:
    keys = store(keyring_backend=backend)
    assert keys.default_kind() == "vault"
    assert keys.describe().keyring_note
    assert problem(lambda: keys.put("keyring", "main", KEY)).code == "KEYRING"
    assert problem(lambda: keys.resolve(KeyRef("keyring", "main"))).code == "KEYRING"


@pytest.mark.parametrize(
    ("chained", "usable"),
    [((MemoryKeyring(),), True), ((), False), ((MemoryKeyring(), PlaintextKeyring()), False), (None, False)],
)
def test_a_chain_of_keyrings_is_as_good_as_its_worst(chained: tuple[Any, ...] | None, usable: bool) -> None:
    class Chain(chainer.ChainerBackend):
        @property
        def backends(self) -> Any:
            if chained is None:
                raise RuntimeError("a backend that can't say its priority")
            return chained

    assert SystemKeyring(backend_of(Chain)).usable is usable


def test_a_keyring_that_does_not_answer_costs_one_time_limit_and_no_more() -> None:
    release = threading.Event()

    class Hanging(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            release.wait(30)
            return None

    slow = SystemKeyring(Hanging(), time_limit_s=0.05)
    assert slow.note == ""
    started = time.monotonic()
    with pytest.raises(KeyringProblem, match="did not answer within"):
        slow.get("main")
    with pytest.raises(KeyringProblem, match="did not answer within"):
        slow.get("other")
    assert time.monotonic() - started < 5
    assert slow.note
    release.set()


@pytest.mark.parametrize(("error", "expected"), [(KeyringLocked("x"), "locked"), (OSError(KEY.reveal()), "OSError")])
def test_a_keyring_that_fails_is_told_without_its_own_words(store: Any, error: Exception, expected: str) -> None:
    class Failing(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            raise error

    found = problem(lambda: store(keyring_backend=Failing()).resolve(KeyRef("keyring", "main")))
    assert expected in found.message


def test_a_keyring_that_forgets_at_once_is_noticed(store: Any) -> None:
    class Forgetting(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            pass

    assert "did not keep" in problem(lambda: store(keyring_backend=Forgetting()).put("keyring", "a", KEY)).message


# ---------------------------------------------------------------- vault and passphrases


def test_the_vault_is_made_by_the_first_key_and_asks_once(store: Any) -> None:
    ask = Asker(WORDS)
    keys = store(passphrase=ask)
    first = keys.put("vault", "main", KEY)
    second = keys.put("vault", "other", OTHER)
    assert (keys.resolve(first), keys.resolve(second)) == (KEY, OTHER)
    assert ask.asked == 1
    again = store(passphrase=Asker(WORDS))
    assert again.resolve(first) == KEY
    assert again.delete(first)
    assert not again.delete(first)
    assert problem(lambda: again.resolve(first)).code == "KEY_MISSING"


def test_a_passphrase_given_with_the_key_is_not_asked_for(store: Any) -> None:
    keys = store()
    ref = keys.put("vault", "main", KEY, passphrase=Secret(WORDS))
    assert keys.resolve(ref) == KEY


def test_a_wrong_passphrase_may_be_corrected_three_times_and_is_not_asked_for_again(store: Any) -> None:
    ref = store(passphrase=Asker(WORDS)).put("vault", "main", KEY)
    assert store(passphrase=Asker("wrong", "wrong again", WORDS)).resolve(ref) == KEY
    ask = Asker("a", "b", "c", WORDS)
    keys = store(passphrase=ask)
    for _ in range(3):
        assert problem(lambda: keys.resolve(ref)).code == "VAULT_PASSPHRASE"
    assert ask.asked == 3
    assert problem(lambda: keys.unlock(Secret("still wrong"))).code == "VAULT_PASSPHRASE"
    keys.unlock(Secret(WORDS))
    assert keys.resolve(ref) == KEY


def test_a_prompt_that_is_left_is_not_shown_for_each_account(store: Any) -> None:
    ref = store(passphrase=Asker(WORDS)).put("vault", "main", KEY)
    ask = Asker()
    keys = store(passphrase=ask)
    for _ in range(3):
        assert problem(lambda: keys.resolve(ref)).code == "VAULT_LOCKED"
    assert ask.asked == 1


def test_without_anyone_to_ask_it_says_which_variable_to_set(store: Any) -> None:
    ref = store(passphrase=Asker(WORDS)).put("vault", "main", KEY)
    found = problem(lambda: store().resolve(ref))
    assert found.code == "VAULT_LOCKED"
    assert "GSVR_PASSPHRASE_FILE" in found.advice


def test_a_missing_vault_is_not_a_wrong_passphrase(store: Any) -> None:
    ask = Asker(WORDS)
    assert problem(lambda: store(passphrase=ask).resolve(KeyRef("vault", "main"))).code == "VAULT_MISSING"
    assert ask.asked == 0
    assert not store().delete(KeyRef("vault", "main"))


def test_a_damaged_vault_is_not_a_wrong_passphrase(store: Any, places: Places) -> None:
    ref = store(passphrase=Asker(WORDS)).put("vault", "main", KEY)
    places.vault_file.write_bytes(places.vault_file.read_bytes()[:-9])
    ask = Asker(WORDS, WORDS, WORDS)
    assert problem(lambda: store(passphrase=ask).resolve(ref)).code == "VAULT_DAMAGED"
    assert ask.asked == 1


def test_the_passphrase_variable_is_gone_once_it_is_read(store: Any) -> None:
    env = {"GSVR_PASSPHRASE": WORDS}
    keys = store(env)
    assert keys.describe().passphrase_source == "GSVR_PASSPHRASE"
    assert env, "describing reads nothing"
    ref = keys.put("vault", "main", KEY)
    assert env == {}
    assert keys.resolve(ref) == KEY


def test_a_passphrase_file_goes_before_the_variable(store: Any, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text(WORDS + "\n")
    file.chmod(0o600)
    ref = store({"GSVR_PASSPHRASE_FILE": str(file), "GSVR_PASSPHRASE": "wrong"}).put("vault", "main", KEY)
    assert store(passphrase=Asker(WORDS)).resolve(ref) == KEY


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (b"words\n", 0o644, "can be read by other users"),
        (b"words\n", 0o640, "can be read by other users"),
        (b"\n", 0o600, "is empty"),
        (b"\xff", 0o600, "not UTF-8"),
        (b"x" * 5000, 0o600, "too long"),
        (None, 0, "can't be read"),
    ],
)
def test_a_passphrase_file_that_is_no_good_is_told(
    store: Any, tmp_path: Path, content: bytes | None, mode: int, expected: str
) -> None:
    ref = store(passphrase=Asker(WORDS)).put("vault", "main", KEY)
    file = tmp_path / "passphrase"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    ask = Asker(WORDS)
    found = problem(lambda: store({"GSVR_PASSPHRASE_FILE": str(file)}, passphrase=ask).resolve(ref))
    assert (found.code, ask.asked) == ("PASSPHRASE_FILE", 0)
    assert expected in found.message


@pytest.mark.parametrize("variable", ["GSVR_PASSPHRASE", "GSVR_PASSPHRASE_FILE"])
def test_a_wrong_passphrase_from_outside_names_its_source_and_is_tried_once(
    store: Any, tmp_path: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = store(passphrase=Asker(WORDS)).put("vault", "main", KEY)
    file = tmp_path / "passphrase"
    file.write_text("wrong")
    file.chmod(0o600)
    keys = store({variable: "wrong" if variable == "GSVR_PASSPHRASE" else str(file)})
    assert variable in problem(lambda: keys.resolve(ref)).message
    monkeypatch.setattr("gsvr_tui.secrets.vault.Vault.unlock", None)  # a second try would call it
    assert variable in problem(lambda: keys.resolve(ref)).message


def test_a_changed_passphrase_is_the_one_from_then_on(store: Any) -> None:
    keys = store(passphrase=Asker(WORDS))
    ref = keys.put("vault", "main", KEY)
    assert problem(lambda: keys.change_passphrase(Secret("wrong"), Secret("new words"))).code == "VAULT_PASSPHRASE"
    keys.change_passphrase(Secret(WORDS), Secret("new words"))
    assert keys.resolve(ref) == KEY
    assert store(passphrase=Asker("new words")).resolve(ref) == KEY


def test_a_full_disk_is_told_and_changes_nothing(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = store(passphrase=Asker(WORDS))
    ref = keys.put("vault", "main", KEY)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gsvr_tui.secrets.vault.write_private", full)
    assert problem(lambda: keys.put("vault", "other", OTHER)).code == "VAULT_WRITE"
    assert keys.resolve(ref) == KEY


def test_every_secret_is_announced_before_it_is_used(store: Any) -> None:
    heard: list[Secret] = []
    keys = store({"K": OTHER.reveal()}, passphrase=Asker(WORDS), on_secret=heard.append)
    keys.resolve(keys.put("vault", "main", KEY))
    keys.resolve(KeyRef("env", "K"))
    assert {KEY, OTHER, Secret(WORDS)} <= set(heard)


def test_a_description_holds_no_secret_and_asks_for_nothing(store: Any, places: Places) -> None:
    ask = Asker(WORDS)
    keys = store(passphrase=ask)
    facts = keys.describe()
    assert (facts.vault_exists, facts.vault_unlocked, facts.default_kind) == (False, False, "vault")
    assert facts.passphrase_source == "prompt"
    keys.put("vault", "main", KEY)
    facts = keys.describe()
    assert (facts.vault_exists, facts.vault_unlocked, facts.vault_path) == (True, True, places.vault_file)
    assert ask.asked == 1
    assert KEY.reveal() not in repr(facts) + repr(vars(keys))
    assert stat.S_IMODE(places.vault_file.stat().st_mode) == 0o600


def test_ten_threads_get_their_keys_with_one_prompt(store: Any) -> None:
    ref = store(passphrase=Asker(WORDS)).put("vault", "main", KEY)
    ask = Asker(WORDS)
    keys = store(passphrase=ask)
    got: list[Secret] = []
    threads = [threading.Thread(target=lambda: got.append(keys.resolve(ref))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got == [KEY] * 10
    assert ask.asked == 1
