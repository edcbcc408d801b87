"""A secret does not get through in any form, and ordinary text does."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gsvr_tui
from gsvr_tui.core.secret import Secret
from gsvr_tui.secrets.redact import HIDDEN, PIECE, Redactor

KEYS = (
    "AQ." + "CANARY" + "x1Y2z3-_w" * 4,
    "AIza" + "Sy" + "Canary7-q" * 3 + "abcdef",
    "new+shape/of=key" + "A1b2C3" * 4,
)
WORDS = 'pass phrase: 100% "quoted" & ümlaut'
ALPHABET = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"), min_size=30, max_size=50
)


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    made = Redactor()
    for secret in (*KEYS, WORDS):
        made.add(Secret(secret))
    return made


def holds(text: str, secret: str) -> bool:
    """True when `text` has ten characters in a row of the secret behind its prefix."""
    body = secret.removeprefix("AQ.").removeprefix("AIza")
    return any(body[index : index + PIECE] in text for index in range(len(body) - PIECE + 1))


@pytest.mark.parametrize("secret", KEYS)
@pytest.mark.parametrize(
    "form",
    [
        lambda key: key,
        lambda key: f"Consumer 'api_key:{key}' has been suspended.",
        lambda key: f"https://host/v1?x=1&key={key}&y=2",
        lambda key: quote(key, safe=""),
        lambda key: quote_plus(key),
        lambda key: base64.b64encode(key.encode()).decode(),
        lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
        lambda key: json.dumps({"headers": {"x-goog-api-key": key}}),
        lambda key: json.dumps(json.dumps({"k": key})),
        lambda key: repr({"x-goog-api-key": key}),
        lambda key: repr([(b"x-goog-api-key", key.encode())]),
        lambda key: f"Authorization: Bearer {key}",
        lambda key: f"{key}{key}",
        lambda key: f"x{key}x",
        lambda key: f"…{key[3:17]}…",
        lambda key: f"{key[:25]}...",
        lambda key: f"a{key[5:20]}b{key[12:30]}c",
        lambda key: "\n".join(key[start : start + 14] for start in range(3, len(key), 14)),
    ],
)
def test_a_key_does_not_get_through_in_any_form(redactor: Redactor, form, secret: str) -> None:  # type: ignore[no-untyped-def]
    text = redactor.redact(form(secret))
    assert not holds(text, secret)
    assert HIDDEN in text
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert encode(secret.encode()).decode()[8:20] not in text


@pytest.mark.parametrize("secret", KEYS)
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
def test_a_key_inside_a_longer_base64_text_does_not_get_through(redactor: Redactor, before: str, secret: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = redactor.redact(encode(f"{before}{secret} and more".encode()).decode())
        longest = max(re.split(re.escape(HIDDEN), text), key=len)
        assert len(longest) < 22, "what is left decodes to nothing of the key"


@pytest.mark.parametrize("form", [str, repr, json.dumps, quote, lambda words: f"<{words}>"])
def test_a_passphrase_does_not_get_through(redactor: Redactor, form) -> None:  # type: ignore[no-untyped-def]
    text = redactor.redact(form(WORDS))
    assert "quoted" not in text


@given(ALPHABET, st.text(max_size=30), st.text(max_size=30), st.data())
def test_no_piece_of_ten_characters_gets_through(secret: str, before: str, after: str, data: st.DataObject) -> None:
    made = Redactor()
    made.add(Secret(secret))
    start = data.draw(st.integers(0, len(secret) - PIECE))
    end = data.draw(st.integers(start + PIECE, len(secret)))
    text = made.redact(before + secret[start:end] + after)
    assert not holds(text, secret)
    assert made.redact(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h/upload?upload_id=ABCdef123&x=1", "https://h/upload?upload_id=[redacted]&x=1"),
        ("https://h/v1?key=abc&x=1", "https://h/v1?key=[redacted]&x=1"),
        ("x-goog-api-key: abc", "x-goog-api-key: [redacted]"),
        ("{'X-Goog-Api-Key': 'abc'}", "{'X-Goog-Api-Key': '[redacted]'}"),
        ("key AIza" + "B" * 35 + " is bad", "key [redacted] is bad"),
        ("key AIza" + "B" * 12 + " is cut", "key [redacted] is cut"),
        ("AQ." + "b" * 30, "[redacted]"),
    ],
)
def test_keys_never_seen_are_known_by_their_shape(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Uploading /home/user/videos/lectures/week-03-introduction-to-algebra.mp4 (part 3 of 17, 3.4 MB/s)",
        "work_key=0f3a, monkey=1, keys: 3",
        "讲座 第3讲 线性代数（上）.mp4",
        "authorization of the request failed, please try again",
        "The API key was reported as leaked.",
        "FAQ.something-long-enough-to-be-a-name",
        "",
    ],
)
def test_ordinary_text_is_left_alone(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text) == text


def test_short_words_are_not_taken_for_pieces_of_demo_keys() -> None:
    made = Redactor()
    made.add(Secret("demo-key-1"))
    made.add(Secret("abc"))
    assert made.redact("the demo-key-1 of abc in demo-key-") == f"the {HIDDEN} of abc in demo-key-"


def test_redacting_is_quick_with_many_keys() -> None:
    made = Redactor()
    for index in range(20):
        made.add(Secret("AQ." + base64.b16encode(bytes((index * 7 + step * 13) % 256 for step in range(20))).decode()))
    text = "Uploading /home/user/videos/lectures/week-03.mp4 to files/abc-123 at 3.4 MB/s " * 1000
    best = 9.0
    for _ in range(3):
        started = time.process_time()
        made.redact(text)
        best = min(best, time.process_time() - started)
    assert best < 0.5, "80 kB of log"


def test_secrets_may_be_added_while_others_redact() -> None:
    made = Redactor()
    secrets = ["AQ." + f"{index:02d}" + "Canary" * 6 for index in range(20)]
    failures: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            if "plain" not in made.redact("plain text"):
                failures.append("lost")

    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=made.add, args=(Secret(secret),)) for secret in secrets]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    stop.set()
    reader.join(30)
    assert not failures
    assert not any(holds(made.redact(secret[3:]), secret) for secret in secrets)


def test_a_redactor_shows_nothing_of_itself(redactor: Redactor) -> None:
    assert repr(redactor) == "Redactor()"
    assert not any(holds(repr(getattr(redactor, "_known")), secret) for secret in KEYS)  # noqa: B009


def test_keys_are_revealed_only_where_they_leave_or_are_put_away() -> None:
    root = Path(gsvr_tui.__file__).parent
    callers = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if re.search(r"\.reveal\b|getattr\([^)]*reveal|_Secret__value", path.read_text(encoding="utf-8"))
    }
    assert {"secrets/vault.py", "secrets/redact.py"} <= callers, "the search finds what is there"
    assert [path for path in callers if not path.startswith(("gemini/", "secrets/"))] == []
