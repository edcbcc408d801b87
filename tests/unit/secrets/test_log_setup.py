"""What is logged is whole, private and without secrets, whatever way they come."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.config.places import Places, find_places
from gsvr_tui.core.secret import Secret
from gsvr_tui.secrets import crash, log_setup
from gsvr_tui.secrets.log_setup import LogHandle, RedactingFormatter, setup_logging
from gsvr_tui.secrets.redact import Redactor

KEY = "AQ." + "CANARY" + "x1Y2z3-_w" * 4
log = logging.getLogger("gsvr_tui.test")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = find_places({"GSVR_HOME": str(tmp_path / "home")})
    found.ensure()
    return found


@pytest.fixture
def redactor() -> Redactor:
    made = Redactor()
    made.add(Secret(KEY))
    return made


@pytest.fixture
def handle(places: Places, redactor: Redactor) -> Iterator[LogHandle]:
    made = setup_logging(places, redactor, "debug", "run-1")
    yield made
    made.close()


def only_ours() -> None:
    """Take out the handlers pytest added after the fixture: they format what can't be formatted."""
    root = logging.getLogger()
    root.handlers[:] = [one for one in root.handlers if type(one).__module__.startswith("gsvr_tui")]


def lines(handle: LogHandle) -> list[dict[str, Any]]:
    return [json.loads(line) for line in handle.path.read_text(encoding="utf-8").splitlines()]


def clean(places: Places) -> bool:
    """No file under the home holds the key or ten characters of it."""
    body = KEY[3:]
    for file in places.root.rglob("*"):
        text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        if any(body[start : start + 10] in text for start in range(len(body) - 9)):
            return False
    return True


class Rude:
    """An object whose repr shows a key."""

    def __repr__(self) -> str:
        return f"Rude({KEY})"


# ---------------------------------------------------------------- the log


def test_a_record_becomes_one_line_of_json(handle: LogHandle) -> None:
    log.warning("uploading %s", "a.mp4", extra={"job": "j1", "account": "main", "fields": {"bytes": 3}})
    (line,) = lines(handle)
    assert line["message"] == "uploading a.mp4"
    assert (line["level"], line["source"], line["run"]) == ("warning", "gsvr_tui.test", "run-1")
    assert (line["job"], line["account"], line["fields"]) == ("j1", "main", {"bytes": "3"})
    assert line["at"].endswith("+00:00")


def test_a_key_is_taken_out_wherever_it_hides(handle: LogHandle, places: Places) -> None:
    log.info("in the message %s", KEY)
    log.info(f"in the format {KEY}")
    log.info("in an object %r and a piece %s", Rude(), KEY[8:24])
    log.info("in a mapping %(k)s", {"k": KEY})
    log.info("in the extras", extra={"job": KEY, "account": KEY, "fields": {"a": KEY, KEY: "b", "u": Rude()}})
    log.info("split by an invisible character: %s", f"{KEY[:12]}\u200b{KEY[12:]}")
    logging.getLogger(KEY).info("in the logger's name")
    try:
        raise ValueError(f"Consumer 'api_key:{KEY}' has been suspended.")
    except ValueError as error:
        error.add_note(KEY)
        log.exception("in an exception")
    try:
        try:
            raise KeyError(KEY)
        except KeyError as inner:
            raise RuntimeError("outer") from inner
    except RuntimeError:
        log.exception("in a cause")
    log.info("in the stack", stack_info=True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"in a warning {KEY}", stacklevel=1)
    assert len(lines(handle)) == 11
    assert clean(places)
    assert handle.lost == 0


def test_values_of_variables_are_not_in_a_traceback(handle: LogHandle) -> None:
    local_value = "a value " + "of a variable"
    try:
        raise ValueError("boom")
    except ValueError:
        log.exception("oops")
    (line,) = lines(handle)
    assert "ValueError: boom" in line["error"]
    assert local_value not in line["error"]


def test_a_field_named_like_a_key_s_header_does_not_get_through(handle: LogHandle) -> None:
    log.info("headers", extra={"fields": {"x-goog-api-key": "never-seen-before"}})
    assert "never-seen" not in handle.path.read_text()
    assert len(lines(handle)) == 1


def test_arguments_that_do_not_fit_are_told_and_not_printed(
    handle: LogHandle, capsys: pytest.CaptureFixture[str], places: Places
) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(KEY)

    only_ours()
    log.info("a number: %d", KEY)
    log.info("broken: %s", Broken())
    log.info(Broken())
    assert [line["message"].split(" (")[0] for line in lines(handle)] == ["a number: %d", "broken: %s"]
    assert handle.lost == 1
    assert capsys.readouterr() == ("", "")
    assert clean(places)


def test_hostile_text_can_t_forge_a_line(handle: LogHandle) -> None:
    log.info("name: %s", '\x1b[2Ja\n{"level":"error"}\u202e')
    (line,) = lines(handle)
    assert line["level"] == "info"
    assert "\x1b" not in line["message"]


def test_a_monstrous_message_is_cut(handle: LogHandle) -> None:
    log.info("x" * 1_000_000)
    (line,) = lines(handle)
    assert len(line["message"]) < 10_000
    assert "1000000 characters" in line["message"]


@pytest.mark.parametrize("name", ["httpx2", "httpcore2.http11", "google.genai", "google_genai.models", "asyncio"])
def test_libraries_that_log_headers_are_kept_quiet_even_at_debug(handle: LogHandle, name: str) -> None:
    logging.getLogger(name).debug("headers")
    logging.getLogger(name).info("request")
    logging.getLogger(name).warning("trouble")
    assert [line["message"] for line in lines(handle)] == ["trouble"]


def test_the_level_can_be_changed_while_it_runs(handle: LogHandle) -> None:
    handle.set_level("error")
    log.info("not told")
    log.error("told")
    assert [line["message"] for line in lines(handle)] == ["told"]


def test_the_files_are_private_and_turn_over(
    places: Places, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_setup, "MOST_BYTES", 2_000)
    monkeypatch.setattr(log_setup, "KEPT", 2)
    handle = setup_logging(places, redactor, "info", "r")
    for index in range(50):
        log.info("line %d %s", index, "x" * 100)
    handle.close()
    files = sorted(places.logs.iterdir())
    assert [file.name for file in files] == ["gsvr-tui.jsonl", "gsvr-tui.jsonl.1", "gsvr-tui.jsonl.2"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert all(file.stat().st_size <= 2_000 for file in files)


def test_a_log_file_is_not_written_through_a_link(places: Places, redactor: Redactor) -> None:
    (places.logs / "gsvr-tui.jsonl").symlink_to(places.root / "elsewhere")
    with pytest.raises(OSError):  # noqa: PT011 (ELOOP by another name on some systems)
        setup_logging(places, redactor, "info", "r")
    assert not (places.root / "elsewhere").exists()


def test_subscribers_get_redacted_records_until_they_leave(handle: LogHandle) -> None:
    got: list[Any] = []
    leave = handle.subscribe(got.append)
    log.error("key %s", KEY, extra={"job": "j1"})
    leave()
    log.error("later")
    (record,) = got
    assert record["message"] == "key [redacted]"
    assert (record["level"], record["job"], record["source"]) == ("error", "j1", "gsvr_tui.test")
    assert isinstance(record["at"], float)


def test_a_subscriber_that_fails_or_logs_itself_does_no_harm(handle: LogHandle) -> None:
    def rude(record: Any) -> None:
        log.info("heard %s", record["message"])
        raise RuntimeError(KEY)

    handle.subscribe(rude)
    log.info("first")
    assert [line["message"] for line in lines(handle)] == ["first", "heard first"]
    assert handle.lost == 1


def test_a_full_disk_is_counted_and_not_shouted(handle: LogHandle, capsys: pytest.CaptureFixture[str]) -> None:
    class Full(StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    real = handler.setStream(Full())
    log.info("lost")
    handler.setStream(real)
    log.info("found")
    assert handle.lost == 1
    assert [line["message"] for line in lines(handle)] == ["found"]
    assert capsys.readouterr() == ("", "")


def test_closing_puts_everything_back(places: Places, redactor: Redactor) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("httpx2").level, warnings.showwarning)
    handle = setup_logging(places, redactor, "debug", "r")
    assert root.handlers != before[0]
    handle.close()
    assert (list(root.handlers), root.level, logging.getLogger("httpx2").level, warnings.showwarning) == before


def test_the_console_of_headless_commands_is_redacted_too(redactor: Redactor) -> None:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter(redactor))
    record = logging.LogRecord("x", logging.INFO, "f", 1, "key %s \x1b[31m", (KEY,), None)
    handler.handle(record)
    assert stream.getvalue() == "INFO key [redacted] \n"


# ---------------------------------------------------------------- crashes


def broken() -> ValueError:
    secret_local = KEY  # noqa: F841 (must not be in the report)
    try:
        raise ValueError(f"bad {KEY}\x1b[2J")
    except ValueError as error:
        return error


def test_a_crash_report_is_private_short_and_without_secrets(places: Places, redactor: Redactor) -> None:
    path = crash.crash_report(broken(), places, redactor, now=lambda: 1_800_000_000.0)
    assert path.name.startswith("crash-20270115-080000-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "ValueError: bad [redacted]" in text
    assert "in broken" in text
    assert "\x1b" not in text
    assert clean(places)


def test_two_crashes_in_one_second_are_two_reports(places: Places, redactor: Redactor) -> None:
    paths = {crash.crash_report(broken(), places, redactor, now=lambda: 1.0) for _ in range(3)}
    assert len(paths) == 3


def test_an_exception_that_can_t_be_shown_is_reported_all_the_same(places: Places, redactor: Redactor) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError(KEY)

    assert "Mute" in crash.crash_report(Mute(), places, redactor).read_text()


def test_an_unhandled_exception_is_one_line_on_the_screen_and_a_report(
    handle: LogHandle, places: Places, redactor: Redactor
) -> None:
    screen = StringIO()
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    undo = crash.install_hooks(places, redactor, stream=screen)
    try:
        error = broken()
        sys.excepthook(ValueError, error, error.__traceback__)
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    finally:
        undo()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before
    (report,) = places.logs.glob("crash-*.txt")
    first, second = screen.getvalue().splitlines()
    assert first == "gsvr-tui stopped on an error of its own (ValueError: bad [redacted])."
    assert second == f"The report is in {report}"
    assert "unhandled exception" in lines(handle)[0]["message"]
    assert clean(places)


def test_exceptions_of_threads_and_destructors_are_logged(
    handle: LogHandle, places: Places, redactor: Redactor
) -> None:
    class Dying:
        def __del__(self) -> None:
            raise ValueError(KEY)

        def __repr__(self) -> str:
            return KEY

    def fail() -> None:
        raise ValueError(KEY)

    undo = crash.install_hooks(places, redactor)
    try:
        thread = threading.Thread(target=fail, name="worker-1")
        thread.start()
        thread.join(10)
        dying = Dying()
        del dying
    finally:
        undo()
    messages = [line["message"] for line in lines(handle)]
    assert messages[0] == "unhandled exception in thread worker-1"
    assert messages[1].startswith("exception in a destructor")
    assert clean(places)


async def test_exceptions_nobody_awaited_are_logged_and_handed_on(handle: LogHandle, places: Places) -> None:
    heard: list[BaseException] = []
    loop = asyncio.get_running_loop()
    handler = crash.asyncio_handler(heard.append)
    error = broken()
    handler(loop, {"message": f"Task failed {KEY}", "exception": error, "task": Rude()})
    handler(loop, {"message": "only words"})
    assert heard == [error]
    assert [line["message"] for line in lines(handle)] == ["asyncio: Task failed [redacted]", "asyncio: only words"]
    assert clean(places)


def test_a_process_of_ours_leaves_no_core_and_shows_no_key_when_it_dies(tmp_path: Path) -> None:
    program = """
import os, resource, sys, threading, warnings
from gsvr_tui.config.places import find_places
from gsvr_tui.core.secret import Secret
from gsvr_tui.secrets import crash
from gsvr_tui.secrets.log_setup import setup_logging
from gsvr_tui.secrets.redact import Redactor
places = find_places(os.environ); places.ensure()
redactor = Redactor(); key = "AQ." + "CANARY" + "x1Y2z3-_w" * 4; redactor.add(Secret(key))
setup_logging(places, redactor, "debug", "r"); crash.install_hooks(places, redactor)
assert crash.no_core_dumps() and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
warnings.warn("a warning with " + key)
def fail(): raise ValueError(key)
thread = threading.Thread(target=fail); thread.start(); thread.join()
raise RuntimeError("the end " + key)
"""
    env = {"GSVR_HOME": str(tmp_path / "home"), "PYTHONPATH": str(Path(crash.__file__).parents[2]), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gsvr-tui stopped on an error of its own (RuntimeError: the end [redacted]).")
    assert "Traceback" not in done.stderr
    assert KEY[3:13] not in done.stdout + done.stderr
    places = find_places({"GSVR_HOME": str(tmp_path / "home")})
    assert len(list(places.logs.glob("crash-*.txt"))) == 2
    assert clean(places)


def test_where_the_interpreter_died_is_noted_without_values(tmp_path: Path) -> None:
    program = """
import faulthandler, os, signal
from gsvr_tui.config.places import find_places
from gsvr_tui.secrets import crash
places = find_places(os.environ); places.ensure(); crash.no_core_dumps()
undo = crash.note_faults(places)
def decode(key): os.kill(os.getpid(), signal.SIGSEGV)
decode("AQ." + "CANARY" + "x1Y2z3-_w" * 4)
"""
    env = {"GSVR_HOME": str(tmp_path / "home"), "PYTHONPATH": str(Path(crash.__file__).parents[2]), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == -11
    places = find_places({"GSVR_HOME": str(tmp_path / "home")})
    file = places.logs / "faults.txt"
    assert "in decode" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert clean(places)
