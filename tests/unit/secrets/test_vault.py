"""The vault opens with its passphrase only, and says which of passphrase and file is wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
import stat
import threading
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.core.secret import Secret
from gsvr_tui.secrets import vault as vault_module
from gsvr_tui.secrets.vault import LEAST_N, Vault, VaultDamaged, VaultError, VaultRefused, WrongPassphrase

GOLDEN = Path(__file__).parent / "golden" / "vault-v1.json"
GOLDEN_PASSPHRASE = "correct horse 电池 stáple"
PASSPHRASE = Secret("some words that are long")
KEY = "AQ." + "CANARY" + "x1Y2z3" * 6


def make(path: Path, passphrase: Secret = PASSPHRASE) -> Vault:
    vault = Vault(path, n=LEAST_N)
    vault.create(passphrase)
    return vault


def opened(path: Path, passphrase: Secret = PASSPHRASE) -> Vault:
    vault = Vault(path, n=LEAST_N)
    vault.unlock(passphrase)
    return vault


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vault")
    make(folder / "vault.json").put("main", Secret(KEY))
    return folder


@pytest.fixture
def path(tmp_path: Path, made_once: Path) -> Path:
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "vault.json"


def tampered(path: Path, change: Any) -> None:
    """Change the document and give it the right hash again, as an attacker would."""
    document = json.loads(path.read_bytes())
    del document["sha256"]
    change(document)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    document["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(document))


# ---------------------------------------------------------------- what it does


def test_a_key_comes_back_after_closing(path: Path) -> None:
    vault = opened(path)
    assert vault.names() == ("main",)
    assert vault.get("main") == Secret(KEY)
    vault.delete("main")
    assert opened(path).names() == ()


def test_the_golden_file_of_version_1_opens(tmp_path: Path) -> None:
    file = tmp_path / "vault.json"
    shutil.copy(GOLDEN, file)
    for form in ("NFC", "NFD"):
        vault = opened(file, Secret(unicodedata.normalize(form, GOLDEN_PASSPHRASE)))
        assert vault.names() == ("first", "第二")
        assert vault.get("第二") == Secret("AQ." + "GOLDEN" * 5)


def test_the_file_has_the_form_that_is_promised(path: Path) -> None:
    document = json.loads(path.read_bytes())
    digest = document.pop("sha256")
    assert digest == hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert set(document) == {"format", "version", "kdf", "wrapped", "check", "items"}
    assert (document["format"], document["version"]) == ("gsvr-vault", 1)
    kdf = document["kdf"]
    assert (kdf["name"], kdf["n"], kdf["r"], kdf["p"]) == ("scrypt", LEAST_N, 8, 1)
    assert len(base64.b64decode(kdf["salt"])) == 16
    assert len(base64.b64decode(document["wrapped"]["ct"])) == 32 + 16
    assert len(base64.b64decode(document["items"]["ct"])) == 1024 + 16, "padded: the number of keys does not show"
    assert len(base64.b64decode(document["items"]["nonce"])) == 12


def test_a_new_vault_costs_a_guesser_128_mib(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.json")
    vault.create(PASSPHRASE)
    assert json.loads(vault.path.read_bytes())["kdf"]["n"] == 1 << 17


def test_no_key_and_no_passphrase_is_in_the_files(path: Path) -> None:
    opened(path).put("second", Secret(KEY[::-1]))
    for file in path.parent.iterdir():
        data = file.read_bytes()
        for secret in (KEY, KEY[::-1], "some words"):
            assert secret.encode() not in data
            assert base64.b64encode(secret.encode())[:12] not in data


def test_every_write_has_a_new_nonce(path: Path) -> None:
    vault = opened(path)
    nonces = set()
    for _ in range(20):
        vault.put("main", Secret(KEY))
        nonces.add(json.loads(path.read_bytes())["items"]["nonce"])
    assert len(nonces) == 20


def test_the_files_are_private(path: Path) -> None:
    opened(path).put("second", Secret(KEY))
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_a_loosened_file_is_repaired_and_reported(path: Path) -> None:
    path.chmod(0o644)
    vault = opened(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "644" in vault.notices[0]


def test_the_state_before_the_last_change_is_kept(path: Path) -> None:
    vault = opened(path)
    vault.put("second", Secret(KEY))
    shutil.copy(vault.backup, path)
    assert opened(path).names() == ("main",)


def test_a_deleted_key_is_not_in_the_backup_either(path: Path) -> None:
    vault = opened(path)
    vault.delete("main")
    shutil.copy(vault.backup, path)
    assert opened(path).names() == ()


def test_deleting_what_is_not_there_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyError):
        opened(path).delete("nobody")
    assert path.read_bytes() == before


def test_two_programs_do_not_lose_each_other_s_keys(path: Path) -> None:
    first, second = opened(path), opened(path)
    first.put("a", Secret(KEY))
    second.put("b", Secret(KEY))
    first.delete("main")
    assert opened(path).names() == ("a", "b")
    assert first.names() == ("a", "b")


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    vaults = [opened(path) for _ in range(4)]

    def write(index: int) -> None:
        for number in range(5):
            vaults[index].put(f"{index}-{number}", Secret(KEY))

    threads = [threading.Thread(target=write, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(opened(path).names()) == 21


def test_a_locked_vault_gives_nothing(path: Path) -> None:
    vault = opened(path)
    vault.lock()
    assert not vault.unlocked
    for act in (vault.names, lambda: vault.get("main"), lambda: vault.put("x", Secret(KEY))):
        with pytest.raises(VaultError, match="locked"):
            act()


def test_a_vault_shows_no_key_of_itself(path: Path) -> None:
    vault = opened(path)
    assert KEY[5:] not in repr(vault) + str(vars(vault))


# ---------------------------------------------------------------- passphrases


def test_a_wrong_passphrase_is_told_as_such(path: Path) -> None:
    for wrong in ("some words that are long ", "Some words that are long", "x"):
        with pytest.raises(WrongPassphrase, match="Wrong passphrase"):
            opened(path, Secret(wrong))


def test_an_empty_passphrase_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="empty"):
        opened(path, Secret(""))
    with pytest.raises(VaultError, match="empty"):
        make(tmp_path / "other.json", Secret(""))
    with pytest.raises(VaultError, match="empty"):
        opened(path).change_passphrase(PASSPHRASE, Secret(""))


@pytest.mark.parametrize("rotate", [False, True])
def test_a_changed_passphrase_opens_file_and_backup_and_the_old_one_neither(path: Path, rotate: bool) -> None:
    new = Secret("other words")
    vault = opened(path)
    vault.change_passphrase(PASSPHRASE, new, rotate=rotate)
    assert vault.get("main") == Secret(KEY)
    for file in (vault.path, vault.backup):
        shutil.copy(file, path.parent / "copy.json")
        assert opened(path.parent / "copy.json", new).get("main") == Secret(KEY)
        with pytest.raises(WrongPassphrase):
            opened(path.parent / "copy.json")


def test_a_wrong_old_passphrase_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(WrongPassphrase):
        opened(path).change_passphrase(Secret("x"), Secret("y"))
    assert path.read_bytes() == before


def test_a_vault_rotated_by_another_program_has_to_be_opened_again(path: Path) -> None:
    first, second = opened(path), opened(path)
    first.change_passphrase(PASSPHRASE, Secret("other words"), rotate=True)
    with pytest.raises(VaultError, match="changed by another program"):
        second.put("x", Secret(KEY))
    assert opened(path, Secret("other words")).names() == ("main",)


def test_an_existing_vault_is_never_made_anew(path: Path) -> None:
    with pytest.raises(VaultError, match="already"):
        make(path)
    opened(path).put("x", Secret(KEY))
    path.unlink()
    with pytest.raises(VaultError, match="already"):
        make(path)


# ---------------------------------------------------------------- damage


def test_every_flipped_byte_is_refused_as_damage(path: Path) -> None:
    whole = path.read_bytes()
    rng = random.Random(20261124)
    places = sorted({*rng.sample(range(len(whole)), 300), 0, len(whole) - 1})
    opened(path)
    for place in places:
        data = bytearray(whole)
        data[place] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        with pytest.raises(VaultDamaged, match="damaged"):
            opened(path)
    path.write_bytes(whole)
    assert opened(path).names() == ("main",)


@pytest.mark.parametrize("part", ["wrapped", "check", "items"])
@pytest.mark.parametrize("field", ["nonce", "ct"])
def test_a_flipped_bit_with_a_right_hash_is_refused_too(path: Path, part: str, field: str) -> None:
    def flip(document: Any) -> None:
        data = bytearray(base64.b64decode(document[part][field]))
        data[5] ^= 1
        document[part][field] = base64.b64encode(data).decode()

    tampered(path, flip)
    # a check that fails can't be told from a wrong passphrase when someone mended the hash
    with pytest.raises(WrongPassphrase if part == "check" else VaultDamaged):
        opened(path)


@pytest.mark.parametrize("pair", [("wrapped", "check"), ("wrapped", "items"), ("check", "items")])
def test_parts_can_t_be_swapped(path: Path, pair: tuple[str, str]) -> None:
    def swap(document: Any) -> None:
        document[pair[0]], document[pair[1]] = document[pair[1]], document[pair[0]]

    tampered(path, swap)
    with pytest.raises((VaultDamaged, WrongPassphrase)):
        opened(path)


def test_a_part_of_another_vault_with_the_same_passphrase_is_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    make(other).put("main", Secret("AQ." + "planted" * 4))
    planted = json.loads(other.read_bytes())["items"]
    tampered(path, lambda document: document.update(items=planted))
    with pytest.raises(VaultDamaged):
        opened(path)


@pytest.mark.parametrize(
    "change",
    [{"n": 1 << 14}, {"n": 2}, {"n": 1 << 21}, {"n": 3 << 15}, {"r": 17}, {"r": 1}, {"p": 17}, {"p": 0}, {"n": -1}],
)
def test_unsafe_parameters_are_refused_before_they_are_used(path: Path, change: dict[str, int]) -> None:
    tampered(path, lambda document: document["kdf"].update(change))
    with pytest.raises(VaultRefused, match="not safe"):
        opened(path)


@pytest.mark.parametrize(
    "change", [{"n": "32768"}, {"n": 32768.0}, {"n": True}, {"name": "md5"}, {"extra": 1}, {"salt": 3}]
)
def test_parameters_of_the_wrong_kind_are_damage(path: Path, change: dict[str, Any]) -> None:
    tampered(path, lambda document: document["kdf"].update(change))
    with pytest.raises(VaultDamaged):
        opened(path)


def test_a_sound_parameter_that_was_changed_does_not_open(path: Path) -> None:
    tampered(path, lambda document: document["kdf"].update(n=1 << 16))
    with pytest.raises(WrongPassphrase):
        opened(path)


def test_a_newer_version_is_not_called_damaged(path: Path) -> None:
    tampered(path, lambda document: document.update(version=2))
    with pytest.raises(VaultRefused, match="newer"):
        opened(path)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b"\xff", b'{"sha256":1}', b"[" * 100_000, b"x" * (9 << 20)]
)
def test_anything_else_is_damage(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(VaultDamaged) as caught:
        opened(path)
    assert ".bak" in caught.value.advice


def test_damage_without_a_backup_does_not_promise_one(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    path.write_bytes(b"x")
    with pytest.raises(VaultDamaged) as caught:
        opened(path)
    assert ".bak" not in caught.value.advice


def test_a_vault_whose_file_is_gone_points_to_its_backup(path: Path) -> None:
    path.unlink()
    with pytest.raises(VaultDamaged, match="gone"):
        opened(path)


def test_no_vault_at_all_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="no vault yet") as caught:
        opened(tmp_path / "vault.json")
    assert type(caught.value) is VaultError


def test_a_full_disk_loses_neither_file_nor_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = opened(path)

    def full(target: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault_module, "write_private", full)
    with pytest.raises(OSError, match="No space"):
        vault.put("x", Secret(KEY))
    assert vault.names() == ("main",)
    assert opened(path).names() == ("main",)


def test_a_cost_below_the_least_is_a_mistake_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="power of two"):
        Vault(tmp_path / "vault.json", n=1 << 14)
