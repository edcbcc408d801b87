"""The README does not lie: its commands, keys, files and figures are those of the program."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.root import COMMANDS, root
from gsvr_tui.config.models_file import load_catalogue
from gsvr_tui.core.models import ProbeFacts
from gsvr_tui.core.planner import JobPlan, plan_job
from gsvr_tui.report.render import suffix_of
from gsvr_tui.ui.actions import ACTIONS

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")


def test_the_first_two_commands_run_the_demo_and_the_tests() -> None:
    first, second = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)[:2]
    assert first == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/gsvr-tui demo --headless"
    assert second == 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/pytest'
    assert README.index(first) < 700
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "pytest" in ci.rstrip().splitlines()[-1]


def test_every_command_is_named_and_no_other() -> None:
    table = README.split("## Commands")[1].split("\n## ")[0]
    for name in COMMANDS:
        assert re.search(rf"`{name}\b", table), name
    for name in re.findall(r"`gsvr-tui ([a-z]+)", README + COMMANDS_PAGE):
        assert name in COMMANDS, name


def test_every_option_named_is_an_option() -> None:
    context = click.Context(root)
    known = set()
    for name in COMMANDS:
        command = root.get_command(context, name)
        found = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        known |= {option for item in found if item for parameter in item.params for option in parameter.opts}
    others = {"--headless", "--help"}
    for option in re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", README.split("## In a minute")[1]):
        assert option in known | others, option


def test_every_format_named_is_a_format() -> None:
    named = re.findall(r"`([a-z]+)`", README.split("`--format` gives others:")[1].split(" and more")[0])
    assert len(named) > 5
    for name in named:
        assert suffix_of(name)


def test_every_key_of_the_table_does_what_it_says() -> None:
    shown = {key for action in ACTIONS for key in action.shown_keys.split(" ")}
    table = README.split("## Keys")[1].split("\n## ")[0]
    keys = [key for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for key in re.findall(r"`(.+?)`", row)]
    assert len(keys) > 12
    assert set(keys) <= shown


def test_exit_codes_are_those_of_the_program() -> None:
    for code in Exit:
        assert f"**{int(code)}**" in README
        assert f"| {int(code)} |" in COMMANDS_PAGE


@pytest.mark.parametrize("page", ["README.md", "docs/commands.md"])
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_an_hour_costs_what_the_readme_says(tmp_path: Path) -> None:
    facts = ProbeFacts(3600.0, 500_000_000, "video/mp4", "mp4", "h264", "aac")
    planned = plan_job(facts, "gemini-3.8-flash", load_catalogue(tmp_path / "none.yaml"), 1_795_500_000.0)
    assert isinstance(planned, JobPlan)
    assert planned.usd == pytest.approx(0.35, abs=0.06)
    assert "about 35 cents with gemini-3.8-flash" in README


def test_the_examples_are_calls_that_can_be_read() -> None:
    fenced = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    examples = re.findall(r"^gsvr-tui .*$", fenced, re.MULTILINE) + re.findall(r"`(gsvr-tui [a-z][^`<…]*)", README)
    assert len(examples) > 8
    for line in examples:
        if "COMMAND" in line:
            continue
        arguments = shlex.split(line, comments=True)[1:]
        context = root.make_context("gsvr-tui", list(arguments))
        name, command, rest = root.resolve_command(context, arguments)
        assert command is not None
        assert name is not None
        with command.make_context(name, rest, parent=context):
            pass
