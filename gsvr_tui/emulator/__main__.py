"""`python -m gsvr_tui.emulator`: serve a scenario until it is told to stop."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from gsvr_tui.emulator.scenario import Scenario
from gsvr_tui.emulator.scenario_file import ScenarioError, built_in_scenario, load_scenario, scenario_names
from gsvr_tui.emulator.server import EmulatorServer


def _scenario(name: str) -> Scenario:
    if name in scenario_names() and not Path(name).exists():
        return built_in_scenario(name)
    return load_scenario(Path(name))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gsvr_tui.emulator", description="A Gemini API on loopback, for trying things out with no key."
    )
    known = ", ".join(scenario_names())
    parser.add_argument("scenario", nargs="?", default="demo", help=f"a YAML file, or one of: {known} (default: demo)")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--port-file", type=Path, metavar="F", help="write the port here once it answers")
    parser.add_argument("--log", type=Path, metavar="F", help="append every request as a line of JSON")
    parser.add_argument("--time-factor", type=float, metavar="K", help="emulator seconds per real second")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. 0 when stopped, 2 when it can't start."""
    options = _parser().parse_args(arguments)
    try:
        scenario = _scenario(options.scenario)
        if options.time_factor is not None:
            if options.time_factor <= 0:
                raise ScenarioError("--time-factor must be above 0")
            scenario = dataclasses.replace(scenario, time_factor=options.time_factor)
    except ScenarioError as problem:
        print(f"gsvr-tui emulator: {problem}", file=sys.stderr)  # noqa: T201 - a command
        return 2
    done = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: done.set())
    server = EmulatorServer(scenario, port=options.port, log_path=options.log, seed=options.seed)
    try:
        base_url = server.start()
    except OSError as problem:
        text = f"gsvr-tui emulator: can't listen on port {options.port}: {problem.strerror or problem}"
        print(text, file=sys.stderr)  # noqa: T201 - a command
        return 2
    if options.port_file is not None:
        options.port_file.write_text(base_url.rsplit(":", 1)[1] + "\n", encoding="ascii")
    print(base_url, flush=True)  # noqa: T201 - a command
    done.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
