"""Text from outside, figures in words, the action table, the themes, and rules about our own code."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.color import Color
from textual.content import Content

from gsvr_tui.app import GsvrApp
from gsvr_tui.core.messages import RunState, Status
from gsvr_tui.core.models import JobState, Step
from gsvr_tui.ui import actions, themes, words
from gsvr_tui.ui.marks import ASCII, UNICODE
from gsvr_tui.ui.opener import best_output
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.safe import fit, fit_end, quiet_markdown, safe
from gsvr_tui.ui.screens.accounts import AccountsScreen
from gsvr_tui.ui.screens.add_videos import split_paths
from gsvr_tui.ui.screens.detail import DetailScreen, quiet_parser
from gsvr_tui.ui.screens.logs import LogsScreen
from gsvr_tui.ui.screens.plan import PlanScreen
from gsvr_tui.ui.screens.queue import QueueScreen
from gsvr_tui.ui.widgets.bars import Part, bar, chips
from gsvr_tui.ui.widgets.job_list import Columns
from gsvr_tui.ui.wizard_state import Entries, complete_keys, passphrase_problem

NOW = 1_800_000_000.0
ROOT = Path(__file__).parent.parent.parent
UI = ROOT / "gsvr_tui" / "ui"

# ---------------------------------------------------------------- text from outside


@given(st.text())
def test_safe_text_is_never_markup_and_acts_on_no_terminal(text: str) -> None:
    shown = safe(text)
    assert isinstance(shown, Content)
    assert not shown.spans
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown.plain)


@given(st.text(), st.integers(0, 40), st.booleans())
def test_a_column_is_filled_exactly(text: str, width: int, ascii_only: bool) -> None:
    assert cell_len(fit(text, width, ascii_only=ascii_only)) == width
    assert cell_len(fit_end(text, width, ascii_only=ascii_only)) == width


@pytest.mark.parametrize("name", scenes.NASTY)
def test_nasty_names_fill_their_column(name: str) -> None:
    assert cell_len(fit(name, 24)) == 24


@pytest.mark.parametrize(
    "markdown",
    [
        "[a](https://evil.example/x)",
        "![a](https://evil.example/x.png)",
        "<https://evil.example>",
        "[a][1]\n\n[1]: https://evil.example",
        "<img src=https://evil.example>",
        "https://evil.example www.evil.example",
        "[a](<javascript:alert(1)>)",
        "[![x](https://evil.example/i)](https://evil.example/l)",
    ],
)
def test_a_reports_links_images_and_html_can_not_act(markdown: str) -> None:
    tokens = quiet_parser().parse(quiet_markdown(markdown))
    inner = [child for token in tokens for child in token.children or []]
    assert not {token.type for token in [*tokens, *inner]} & {"link_open", "image", "html_inline", "html_block"}


def outside_strings(path: Path) -> Iterator[str]:
    """Calls that hand a str made at run time to a widget that reads markup."""
    takers = {"Static", "Label", "Button", "Option", "RadioButton", "update", "notify", "show"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == "from_markup" and any(
            isinstance(part, ast.FormattedValue) and not _is_ours(part.value)
            for argument in node.args
            for part in ast.walk(argument)
        ):
            yield f"{path.name}:{node.lineno} from_markup with a value that is not from our own tables"
        if name in takers and node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
            yield f"{path.name}:{node.lineno} {name} is given a raw string"


_OURS = {"mode", "key", "title", "style", "alerts", "name", "action", "tone", "count"}


def _is_ours(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in _OURS


def test_no_string_made_at_run_time_reaches_a_widget() -> None:
    found = [line for path in [*UI.rglob("*.py"), ROOT / "gsvr_tui" / "app.py"] for line in outside_strings(path)]
    assert found == []


def test_a_string_made_at_run_time_would_be_found(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text('Static(f"{x}")\nw.update("a" + x)\nContent.from_markup(f"[b]{row.name}[/]")\nStatic(safe(x))\n')
    assert len(list(outside_strings(bad))) == 3


def test_no_class_reveals_a_secret() -> None:
    assert [path.name for path in UI.rglob("*.py") if ".reveal(" in path.read_text("utf-8")] == []


# ---------------------------------------------------------------- words


def test_moments_are_as_short_as_they_can_be() -> None:
    assert words.clock_time(NOW + 3600, NOW, UTC) == "09:00"
    assert words.clock_time(NOW + 86400, NOW, UTC) == "Sat 08:00"
    assert words.clock_time(NOW + 30 * 86400, NOW, UTC) == "2027-02-14 08:00"


def test_the_end_is_measured_before_it_is_told() -> None:
    status = Status(RunState.RUNNING, counts={JobState.QUEUED: 5}, ends_at=None)
    assert words.ending(status, NOW, UTC) == "measuring"
    assert words.ending(replace(status, ends_at=NOW + 600), NOW, UTC) == "ends about 08:10 (in 10 min)"
    assert words.ending(replace(status, state=RunState.PAUSED), NOW, UTC) == ""


def test_an_uncertain_end_is_told_as_a_range() -> None:
    status = Status(RunState.RUNNING, counts={JobState.QUEUED: 5}, ends_at=NOW + 36_000)
    narrow = replace(status, ends_low=NOW + 35_000, ends_high=NOW + 37_000)
    assert words.ending(narrow, NOW, UTC) == "ends about 18:00 (in 10 h)"
    wide = replace(status, ends_low=NOW + 7 * 3600, ends_high=NOW + 20 * 3600)
    assert words.ending(wide, NOW, UTC) == "ends 15:00 to Sat 04:00 (7 h to 20 h)"
    soon = replace(status, ends_at=NOW + 300, ends_low=NOW + 60, ends_high=NOW + 600)
    assert words.ending(soon, NOW, UTC) == "ends about 08:05 (in 5 min)"


def test_what_limits_the_rate_comes_last_so_that_it_is_the_first_to_go() -> None:
    status = Status(RunState.RUNNING, counts={JobState.QUEUED: 5}, ends_at=NOW + 600, limited_by="requests per minute")
    assert words.status_facts(status, NOW, UTC)[-1] == "limited by requests per minute"
    assert "limited by" not in str(words.status_facts(replace(status, state=RunState.PAUSED), NOW, UTC))


def test_standing_still_has_its_reason_first() -> None:
    status = Status(RunState.RESTING, "all quota of today is used", until=NOW + 3600, counts={JobState.QUEUED: 5})
    assert words.status_facts(status, NOW, UTC)[0] == "all quota of today is used, goes on at 09:00"


def test_what_a_job_does_fits_its_state() -> None:
    row = scenes.job(1, "a.mp4", JobState.RUNNING, Step.UPLOAD, progress=0.649)
    assert words.job_now(row, NOW, UTC) == "upload 64 %"
    waiting = replace(row, state=JobState.WAITING, until=NOW + 60, note="quota")
    assert words.job_now(waiting, NOW, UTC) == "until 08:01, quota"


def test_a_cost_above_nothing_never_reads_as_nothing() -> None:
    assert words.cost(0.0) == ""
    assert words.cost(0.0002) == "<0.001"
    assert words.cost(0.0213) == "0.021"


# ---------------------------------------------------------------- lines


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4), st.integers(4, 120))
def test_a_bar_is_as_wide_as_asked(counts: list[int], width: int) -> None:
    total = sum(counts)
    drawn = bar([Part(count, "accent") for count in counts], total + 10, width)
    assert drawn.cell_length == width


def test_the_columns_of_the_list_fill_its_width() -> None:
    for width in range(50, 220):
        columns = Columns.plan(width)
        gaps = 2 * sum(1 for part in (columns.length, columns.cost, columns.account) if part)
        assert (
            3 + columns.name + 2 + 11 + 2 + columns.now + columns.length + columns.cost + columns.account + gaps < width
        )


def test_chips_fit_eighty_columns_with_every_state_in_use() -> None:
    line = chips(dict.fromkeys(JobState, 7), None, 56, 78)
    assert line.cell_length <= 78 + 12
    assert "failed 7" in line.plain


# ---------------------------------------------------------------- the table of actions


def test_no_key_has_two_meanings() -> None:
    assert actions.clashes() == []


def test_a_clash_would_be_found() -> None:
    twin = replace(actions.find(actions.Scope.QUEUE, "retry"), id="twin")
    thief = replace(twin, id="thief", keys=("p",))
    found = actions.clashes((*actions.ACTIONS, twin, thief))
    assert "r: queue.retry and queue.twin" in found
    assert "p: queue.thief hides app.pause" in found


OWNERS = {
    actions.Scope.APP: GsvrApp,
    actions.Scope.QUEUE: QueueScreen,
    actions.Scope.ACCOUNTS: AccountsScreen,
    actions.Scope.LOGS: LogsScreen,
    actions.Scope.PLAN: PlanScreen,
    actions.Scope.DETAIL: DetailScreen,
}


@pytest.mark.parametrize("action", actions.ACTIONS, ids=lambda action: action.full_id)
def test_every_action_is_carried_out_by_its_screen(action: actions.Action) -> None:
    assert callable(getattr(OWNERS[action.scope], f"do_{action.id}", None))


@pytest.mark.parametrize("scope", list(actions.Scope))
def test_every_carrier_is_in_the_table(scope: actions.Scope) -> None:
    carriers = {name[3:] for name, _ in inspect.getmembers(OWNERS[scope]) if name.startswith("do_")}
    assert carriers == {action.id for action in actions.actions_of(scope)}


def test_ids_are_unique_and_every_binding_has_one() -> None:
    ids = [action.full_id for action in actions.ACTIONS]
    assert len(ids) == len(set(ids))
    assert all(binding.id for scope in actions.Scope for binding in actions.bindings(scope))  # type: ignore[union-attr]


def test_keys_that_terminals_keep_for_themselves_are_not_used() -> None:
    taken = {"ctrl+i", "ctrl+m", "ctrl+j", "ctrl+h", "ctrl+b", "ctrl+a", "ctrl+z", "ctrl+s", "f10", "f11"}
    assert not taken & {key for action in actions.ACTIONS for key in action.keys}


def test_the_table_of_keys_for_people_has_every_action() -> None:
    table = actions.markdown_table()
    assert all(f"| {action.help} |" in table for action in actions.ACTIONS)
    assert "| `j` `Down` | next line |" in table


# ---------------------------------------------------------------- signs


def test_the_ascii_signs_are_ascii() -> None:
    looks = [*ASCII.jobs.values(), *ASCII.health.values(), *ASCII.runs.values(), *ASCII.checks.values()]
    assert all(look.sign.isascii() and look.word.isascii() for look in looks)
    assert all(sign.isascii() for sign in (ASCII.cursor, ASCII.marked, ASCII.bar_full, ASCII.bar_empty, ASCII.cut))


def test_no_sign_of_a_column_has_an_ambiguous_width() -> None:
    from unicodedata import east_asian_width

    looks = [*UNICODE.jobs.values(), *UNICODE.health.values(), *UNICODE.runs.values(), *UNICODE.checks.values()]
    assert {east_asian_width(look.sign) for look in looks} <= {"N", "Na"}
    assert east_asian_width(UNICODE.cursor) in ("N", "Na")


# ---------------------------------------------------------------- themes

FILES = sorted((ROOT / "themes").glob("*.yaml"))


def luminance(color: Color) -> float:
    parts = [value / 255 for value in (color.r, color.g, color.b)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(Color.parse(first)), luminance(Color.parse(second))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "ansi"], ids=lambda path: path.stem)
def test_everything_readable_has_enough_contrast(path: Path) -> None:
    colors = yaml.safe_load(path.read_text("utf-8"))["colors"]
    tones = ("muted", "accent", "run", "ok", "wait", "rest", "partial", "fail")
    for back in ("background", "panel", "cursor"):
        assert contrast(colors["text"], colors[back]) >= 7, f"text on {back}"
        for tone in tones:
            assert contrast(colors[tone], colors[back]) >= 4.5, f"{tone} on {back}"


def test_done_and_failed_differ_in_lightness_where_colours_may_not_be_told_apart() -> None:
    colors = yaml.safe_load((ROOT / "themes" / "colour-blind.yaml").read_text("utf-8"))["colors"]
    assert contrast(colors["ok"], colors["fail"]) > 1.5
    assert contrast(colors["ok"], colors["run"]) > 1.5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_shipped_themes_are_complete_and_valid(path: Path) -> None:
    mapping = yaml.safe_load(path.read_text("utf-8"))
    assert set(mapping["colors"]) == set(themes.COLORS)
    assert themes.theme_from(path.stem, mapping).name == path.stem


def test_the_built_in_themes_are_those_of_the_files() -> None:
    for name, colors in (("dark", themes.DARK), ("light", themes.LIGHT)):
        assert yaml.safe_load((ROOT / "themes" / f"{name}.yaml").read_text("utf-8"))["colors"] == colors


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"colors": {"text": "rebeccapurpel"}}, "field colors.text"),
        ({"colors": {"txet": "#fff"}}, "field colors.txet"),
        ({"dark": "yes"}, "field dark"),
        ({"colours": {}}, "unknown field “colours”"),
        ({"colors": ["#fff"]}, "field colors"),
        (["no mapping"], "a theme is a mapping"),
        ({"colors": {"text": "\x1b[31m"}}, "field colors.text"),
    ],
)
def test_a_faulty_theme_is_refused_by_name_and_field(mapping: object, said: str) -> None:
    usable, problems = themes.load_themes({"mine": mapping})  # type: ignore[dict-item]
    assert set(usable) == {"dark", "light"}
    assert len(problems) == 1
    assert said in problems[0]
    assert "mine" in problems[0]
    assert "\x1b" not in problems[0]


# ---------------------------------------------------------------- small helpers


def test_pasted_paths_are_understood(tmp_path: Path) -> None:
    blank = tmp_path / "week 3.mp4"
    blank.touch()
    uri = tmp_path / "a%20b.mp4"
    assert split_paths(str(blank)) == (str(blank),)
    assert split_paths(f'"{blank}" /x') == (str(blank), "/x")
    assert split_paths(f"{blank}\n/y") == (str(blank), "/y")
    assert split_paths(f"file://{uri}") == (str(tmp_path / "a b.mp4"),)
    assert split_paths("~/v") == (str(Path("~/v").expanduser()),)
    assert split_paths("it's.mp4") == ("it's.mp4",)
    assert split_paths("") == ()


def test_people_get_the_readable_file() -> None:
    assert best_output(("/r/a.json", "/r/a.md")) == "/r/a.md"
    assert best_output(()) == ""


def test_several_keys_are_parted_and_twins_refused() -> None:
    entries = Entries(["account-1"])
    new, problem = entries.add("AIzaSy" + "a" * 33 + ", AIzaSy" + "b" * 33 + "\n$MY_KEY")
    assert [entry.name for entry in new] == ["account-2", "account-3", "account-4"]
    assert new[2].env == "MY_KEY"
    assert problem == ""
    assert entries.add("AIzaSy" + "a" * 33)[1] == "That key is in the list already"
    assert "too short" in entries.add("abc")[1]
    assert "AIzaSyaaaaaaaa" not in repr(entries.items)


def test_only_whole_keys_need_no_enter() -> None:
    assert complete_keys("AIza" + "x" * 35)
    assert not complete_keys("AIza" + "x" * 20)
    assert not complete_keys("")


def test_the_passphrase_is_long_enough_and_given_twice() -> None:
    assert passphrase_problem("", "", vault_exists=False)
    assert passphrase_problem("short", "short", vault_exists=False)
    assert passphrase_problem("long enough", "long enouhg", vault_exists=False)
    assert not passphrase_problem("long enough", "long enough", vault_exists=False)
    assert not passphrase_problem("short", "", vault_exists=True)


def test_styles_are_inside_the_package() -> None:
    assert {path.name for path in (UI / "styles").iterdir()} >= {"app.tcss", "queue.tcss", "wizard.tcss"}
    assert os.fspath(UI) in os.fspath(Path(inspect.getfile(QueueScreen)))
