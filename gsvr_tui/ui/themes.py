"""Themes: a mapping (a YAML file as parsed) to a Textual theme, checked field by field.

Fields: `dark` (bool), `ansi` (bool: the terminal's own sixteen colours), `colors` (see COLORS). What a theme leaves out
comes from the built-in dark or light one. A faulty theme is refused whole, naming file and field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from gsvr_tui.core.text import clean_text

COLORS = (
    "background",  # of lists and text
    "panel",  # of header, footer and side panels
    "cursor",  # of the line under the cursor
    "text",
    "muted",  # secondary text; still readable
    "accent",  # focus, keys, the one hue
    "rule",  # empty part of bars
    "run",
    "ok",
    "wait",
    "rest",
    "partial",
    "fail",
)

DARK: Mapping[str, str] = {
    "background": "#12161c",
    "panel": "#181d25",
    "cursor": "#263243",
    "text": "#e6e9ee",
    "muted": "#9aa4b2",
    "accent": "#6cb6ff",
    "rule": "#39424f",
    "run": "#6cb6ff",
    "ok": "#4fd1b5",
    "wait": "#9aa4b2",
    "rest": "#e9b949",
    "partial": "#f0d36b",
    "fail": "#ff8a5c",
}
LIGHT: Mapping[str, str] = {
    "background": "#fbfaf7",
    "panel": "#f1efe9",
    "cursor": "#dde8f4",
    "text": "#1b1f24",
    "muted": "#515a64",
    "accent": "#0b5cad",
    "rule": "#cfcbc0",
    "run": "#0b5cad",
    "ok": "#0a645a",
    "wait": "#515a64",
    "rest": "#765000",
    "partial": "#635400",
    "fail": "#a9360d",
}
FALLBACK = "dark"


class ThemeError(ValueError):
    """A theme that can't be used: which file, which field, and what is wrong with it."""


def theme_from(name: str, mapping: Mapping[str, Any]) -> Theme:
    """The Textual theme of a mapping. Raises ThemeError naming the theme and the field."""
    if not isinstance(mapping, Mapping):
        raise ThemeError(f"theme {name}: a theme is a mapping with the fields dark, ansi and colors")
    for field in mapping:
        if field not in ("name", "dark", "ansi", "colors"):
            raise ThemeError(f"theme {name}: unknown field “{_shown(field)}”; known: dark, ansi, colors")
    dark, ansi = _flag(name, mapping, "dark", True), _flag(name, mapping, "ansi", False)
    colors = mapping.get("colors", {})
    if not isinstance(colors, Mapping):
        raise ThemeError(f"theme {name}, field colors: must be a mapping of colour names to colours")
    chosen = dict(DARK if dark else LIGHT)
    for field, value in colors.items():
        chosen[_color_name(name, field)] = _color(name, field, value)
    return _build(name, chosen, dark=dark, ansi=ansi)


def load_themes(themes: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Theme], list[str]]:
    """All usable themes by name, the built-in dark and light among them, and what is wrong with the others."""
    usable = {"dark": theme_from("dark", {}), "light": theme_from("light", {"dark": False})}
    problems: list[str] = []
    for name, mapping in themes.items():
        try:
            usable[str(name)] = theme_from(str(name), mapping)
        except ThemeError as error:
            problems.append(str(error))
    return usable, problems


def tone_variables(colors: Mapping[str, str]) -> dict[str, str]:
    """The CSS variables of our own."""
    tones = {f"status-{tone}": colors[tone] for tone in ("run", "ok", "wait", "rest", "partial", "fail")}
    return {
        **tones,
        "muted": colors["muted"],
        "rule": colors["rule"],
        "cursor-line": colors["cursor"],
        "bar": colors["panel"],
    }


def _build(name: str, colors: Mapping[str, str], *, dark: bool, ansi: bool) -> Theme:
    readable = colors["background"] if not ansi else "ansi_black"
    return Theme(
        name=name,
        dark=dark,
        ansi=ansi,
        primary=colors["accent"],
        secondary=colors["run"],
        accent=colors["accent"],
        foreground=colors["text"],
        background=colors["background"],
        surface=colors["background"],
        panel=colors["panel"],
        boost=colors["panel"],
        success=colors["ok"],
        warning=colors["rest"],
        error=colors["fail"],
        variables={
            **(BUILTIN_THEMES["ansi-dark"].variables if ansi else {}),
            **tone_variables(colors),
            "block-cursor-background": colors["cursor"],
            "block-cursor-foreground": colors["text"],
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": colors["panel"],
            "block-cursor-blurred-foreground": colors["text"],
            "input-cursor-background": colors["text"],
            "input-cursor-foreground": readable,
            "input-selection-background": colors["cursor"],
            "border": colors["accent"],
            "border-blurred": colors["rule"],
            "scrollbar": colors["rule"],
            "scrollbar-hover": colors["muted"],
            "scrollbar-active": colors["accent"],
            "scrollbar-background": colors["background"],
            "scrollbar-background-hover": colors["background"],
            "scrollbar-background-active": colors["background"],
            "scrollbar-corner-color": colors["background"],
        },
    )


def _flag(name: str, mapping: Mapping[str, Any], field: str, default: bool) -> bool:
    value = mapping.get(field, default)
    if not isinstance(value, bool):
        raise ThemeError(f"theme {name}, field {field}: must be true or false, not “{_shown(value)}”")
    return value


def _color_name(name: str, field: Any) -> str:
    if field not in COLORS:
        raise ThemeError(f"theme {name}, field colors.{_shown(field)}: no such colour; known: {', '.join(COLORS)}")
    return str(field)


def _color(name: str, field: str, value: Any) -> str:
    try:
        Color.parse(str(value))
    except (ColorParseError, ValueError):
        raise ThemeError(
            f'theme {name}, field colors.{field}: “{_shown(value)}” is no colour; write it like "#6cb6ff"'
        ) from None
    return str(value)


def _shown(value: Any) -> str:
    return clean_text(str(value))[:40]
