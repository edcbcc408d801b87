"""A Gemini API on loopback for the demo, the tests and what-if."""

from gsvr_tui.emulator.clock import Clock, ManualClock, ScaledClock
from gsvr_tui.emulator.log import LogEntry
from gsvr_tui.emulator.probe import Probe, VideoFacts
from gsvr_tui.emulator.scenario import (
    Action,
    FileRules,
    KeySpec,
    KeyState,
    Latency,
    LimitChange,
    LimiterKind,
    Limits,
    ModelSpec,
    ProjectSpec,
    ProjectState,
    Rule,
    Scenario,
    Tier,
    simple_scenario,
)
from gsvr_tui.emulator.scenario_file import (
    ScenarioError,
    built_in_scenario,
    load_scenario,
    read_scenario,
    scenario_names,
)
from gsvr_tui.emulator.server import EmulatorServer

__all__ = [
    "Action",
    "Clock",
    "EmulatorServer",
    "FileRules",
    "KeySpec",
    "KeyState",
    "Latency",
    "LimitChange",
    "LimiterKind",
    "Limits",
    "LogEntry",
    "ManualClock",
    "ModelSpec",
    "Probe",
    "ProjectSpec",
    "ProjectState",
    "Rule",
    "ScaledClock",
    "Scenario",
    "ScenarioError",
    "Tier",
    "VideoFacts",
    "built_in_scenario",
    "load_scenario",
    "read_scenario",
    "scenario_names",
    "simple_scenario",
]
