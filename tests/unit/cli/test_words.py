"""What is printed: tables, JSON, waits, problems; the tree of commands; how options are read."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest

from gsvr_tui.commands import say
from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.guard import Complaint, explain, guarded
from gsvr_tui.commands.plain_show import closing_words, finished_words, wait_words, without_keys
from gsvr_tui.commands.root import COMMANDS, root
from gsvr_tui.commands.run_facts import Finished, Summary
from gsvr_tui.commands.run_options import Dollars, Setting, Workers
from gsvr_tui.config.problems import ConfigError, Problem
from gsvr_tui.core.catalogue import UnknownModel
from gsvr_tui.core.messages import JobRow, RunState, Status
from gsvr_tui.core.models import JobState, Step
from gsvr_tui.secrets.keystore import KeyProblem
from gsvr_tui.store.errors import StoreLocked


def test_each_command_of_the_table_is_there_and_says_what_the_table_says() -> None:
    context = click.Context(root)
    for name, (_, line) in COMMANDS.items():
        command = root.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert line
        with click.Context(command) as inner:
            assert "Usage:" in command.get_help(inner)


def test_json_lines_hold_what_was_not_utf8_as_text(capfd: pytest.CaptureFixture[str]) -> None:
    say.json_line({"name": "caf\udce9 第一讲\n", "list": ["\udcff"], "number": float("inf"), "none": None})
    line = capfd.readouterr().out
    assert line.count("\n") == 1
    assert json.loads(line) == {"name": "caf\\xe9 第一讲\n", "list": ["\\xff"], "number": None, "none": None}


def test_tables_count_columns_of_wide_letters_and_clean_their_cells() -> None:
    text = say.table([("name", "n"), ("第一讲", "1"), ("a\x1b[31mb", "22")], right=frozenset({1}))
    assert text == "name     n\n第一讲   1\nab      22"


@pytest.mark.parametrize(("count", "words"), [(0, "0 videos"), (1, "1 video"), (1200, "1,200 videos")])
def test_plurals(count: int, words: str) -> None:
    assert say.plural(count, "video") == words


def test_nothing_printed_acts_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say.out("a\x1b]0;title\x07b")
    say.problem("bad\x1b[2J", "do\rthis")
    seen = capsys.readouterr()
    assert "\x1b" not in seen.out + seen.err
    assert "\r" not in seen.err


def test_a_closed_stdout_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    say.out("nobody hears")
    assert guarded(lambda: 0) == Exit.DONE


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigError([Problem("c.yaml", 3, 1, "workers", "That is not a number.", "4")]), "c.yaml:3: workers"),
        (KeyProblem("X", "No key.", "Get one."), "No key."),
        (StoreLocked("/s", "process 1"), "process 1"),
        (UnknownModel("x", ("y",)), "Did you mean y?"),
        (FileNotFoundError(2, "No such file", "/gone"), "/gone: No such file"),
    ],
)
def test_known_problems_are_explained(error: Exception, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise error

    assert guarded(fail) == Exit.USAGE
    seen = capsys.readouterr().err
    assert words in seen
    assert "Traceback" not in seen


def test_a_complaint_has_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise Complaint("over", "wait", Exit.STOPPED)

    assert guarded(fail) == Exit.STOPPED
    assert capsys.readouterr().err == "gsvr-tui: over\n          wait\n"


def test_a_fault_of_our_own_leaves_a_report_without_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GSVR_HOME", str(tmp_path / "home"))

    def fail() -> None:
        password = "hunter2-in-a-local"  # noqa: F841
        raise ZeroDivisionError("oh")

    assert explain(ZeroDivisionError()) is None
    assert guarded(fail) == Exit.FAULT
    seen = capsys.readouterr().err
    assert "ZeroDivisionError" in seen
    assert "Traceback" not in seen
    (report,) = (tmp_path / "home" / "logs").glob("crash-*.txt")
    assert str(report) in seen
    assert "hunter2" not in report.read_text("utf-8").replace('password = "hunter2-in-a-local"', "")


def test_interrupts_and_refusals_at_a_question_have_the_code_of_an_interruption() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    def refuse() -> None:
        raise click.exceptions.Abort

    assert guarded(interrupt) == guarded(refuse) == Exit.INTERRUPTED


# ---------------------------------------------------------------- options


def test_workers_are_auto_or_a_number() -> None:
    kind = Workers()
    assert [kind.convert(value, None, None) for value in ("auto", "0", "8", "64")] == [0, 0, 8, 64]
    for wrong in ("-1", "65", "many"):
        with pytest.raises(click.BadParameter):
            kind.convert(wrong, None, None)


def test_settings_are_split_at_the_first_sign() -> None:
    assert Setting().convert("focus=a=b", None, None) == ("focus", "a=b")
    for wrong in ("focus", "=b"):
        with pytest.raises(click.BadParameter):
            Setting().convert(wrong, None, None)


def test_money_may_carry_its_sign() -> None:
    assert Dollars().convert("$2.50", None, None) == 2.5
    for wrong in ("-1", "nan", "inf", "two"):
        with pytest.raises(click.BadParameter):
            Dollars().convert(wrong, None, None)


# ---------------------------------------------------------------- words of a run


def finished(state: JobState, **more: object) -> Finished:
    """A job that ended."""
    row = JobRow("1", "b", "a\x1b[31m.mp4", state, Step.END, **more)  # type: ignore[arg-type]
    return Finished(row, ("/out/a.md",), 3, 12)


def test_a_finished_job_is_one_clean_line() -> None:
    assert finished_words(finished(JobState.DONE, cost_usd=0.02)) == "[ 3/12] done      a.mp4 → /out/a.md  $0.02"
    failed = finished(JobState.FAILED, note="the file is gone", advice="r tries again.")
    assert finished_words(failed) == "[ 3/12] failed    a.mp4: the file is gone. gsvr-tui retry tries again"


def test_advice_names_commands_instead_of_keys() -> None:
    assert without_keys("h releases it") == "gsvr-tui resume --held releases it"
    assert without_keys("your answers") == "your answers"


def test_short_waits_are_not_told_and_long_ones_are_with_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    soon = Status(RunState.RESTING, "used up", until=1_000_005.0)
    later = Status(RunState.RESTING, "used up", "wait", until=1_003_600.0)
    assert wait_words(soon) == ""
    ends = datetime.fromtimestamp(1_003_600, ZoneInfo("UTC")).astimezone()
    assert wait_words(later) == f"waiting until {ends:%a %H:%M:%S}: used up (wait)"
    assert wait_words(Status(RunState.RUNNING, "used up")) == ""


def test_the_closing_line_counts_everything_that_is_not_done() -> None:
    counts = {JobState.DONE: 1200, JobState.FAILED: 1, JobState.PARTIAL: 2}
    summary = Summary(1, counts, 3, 4, 61.0, 0.5, 0, 0)
    assert closing_words(summary) == "1,200 done, 2 partial, 1 failed, 3 to go, 4 left out in 1 min, $0.50 spent."
