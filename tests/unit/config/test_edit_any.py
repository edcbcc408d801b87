"""Whatever a config looks like, an edit changes what it should and keeps every comment it can."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.config import yaml_lines
from gsvr_tui.config.reader import read_document

PIECES = {
    "theme": ["theme: dark\n", "theme: dark   # c1\n", "# c2\ntheme: 'dark'\n", 'theme:\n  "dark"\n'],
    "output": [
        "output:\n  directory: x\n  # c3\n  formats: [markdown, json]  # c4\n",
        "output: {directory: x, formats: [markdown, json]}\n",
        "output:\n    formats:\n    - markdown\n    - json\n    directory: x # c5\n    # c6\n\n",
        "output:\n  formats: [\n    markdown,  # c7\n    json\n  ]\n  directory: >-\n    x\n",
    ],
    "budget": ["budget:\n", "budget:\n  # c8\n  # per_day_usd: 1\n\n", "budget: {}\n", "budget:\n  per_day_usd: 1\n"],
    "accounts": [
        "accounts: []\n",
        "accounts:\n",
        "accounts:\n# c9\n- name: a\n  key: {env: A}\n- name: b\n  key:\n    env: B # c10\n",
        "accounts:\n  - name: a\n    key: {env: A}\n\n  # c11\n  - name: b\n    key: {env: B}\n    # c12\n\n# c13\n",
        "accounts: [{name: a, key: {env: A}}, {name: b, key: {env: B}}]\n",
        "accounts:\n  - {name: a, key: {env: A}}  # c14\n  - {name: b, key: {env: B}}\n",
        "accounts:\n  -\n    name: a\n    key: {env: A}\n  -   key: {env: B}\n      name: b\n",
    ],
}
TEXTS = st.permutations(list(PIECES)).flatmap(
    lambda names: st.tuples(*(st.sampled_from(PIECES[name]) for name in names)).map("".join)
)
EDITS = st.one_of(
    st.tuples(st.just("put"), st.just(("theme",)), st.sampled_from(["light", "no", "a: b", "# x", "12", "讲", "a\nb"])),
    st.tuples(st.just("put"), st.just(("output", "directory")), st.text(max_size=5).filter(str.isprintable)),
    st.tuples(st.just("put"), st.just(("output", "formats")), st.lists(st.sampled_from(["html", "json"]), max_size=2)),
    st.tuples(
        st.just("put"), st.just(("budget", "per_day_usd")), st.integers(0, 10_000).map(lambda cents: cents / 100)
    ),
    st.tuples(st.just("put"), st.just(("budget", "max_cost_usd")), st.integers(0, 9)),
    st.tuples(st.just("put"), st.just(("ui", "ascii")), st.booleans()),
    st.tuples(st.just("put"), st.just(("workers",)), st.integers(0, 9)),
    st.tuples(st.just("put"), st.just(("accounts", 0, "limits", "gemini-3.8-flash", "rpm")), st.integers(0, 9)),
    st.tuples(st.just("put"), st.just(("accounts", 0, "enabled")), st.booleans()),
    st.tuples(st.just("remove"), st.sampled_from([("theme",), ("output", "directory"), ("budget",)]), st.none()),
    st.tuples(st.just("remove"), st.sampled_from([("accounts", 0), ("accounts", 1), ("ui",)]), st.none()),
    st.tuples(st.just("append"), st.just(("accounts",)), st.just({"name": "c", "key": {"vault": "c"}, "tier": "free"})),
)


def model(value: Any, edit: tuple[str, tuple[Any, ...], Any]) -> bool:
    """Do the edit to plain values; False when it has no place there."""
    act, path, new = edit
    *above, last = path
    for part in above:
        if isinstance(part, int):
            if not isinstance(value, list) or part >= len(value):
                return False
        elif value.get(part) is None:
            if act == "remove":
                return True
            value[part] = {}
        if part == "accounts" and not isinstance(value[part], list):
            return act == "remove"
        value = value[part]
    if act == "remove":
        if isinstance(last, int):
            if last >= len(value):
                return False
            del value[last]
        else:
            value.pop(last, None)
    elif act == "append":
        value[last] = [*(value.get(last) or []), deepcopy(new)]  # one object would be changed twice by a later edit
    else:
        value[last] = deepcopy(new)
    return True


def same(first: Any, second: Any) -> bool:
    """Equal, where an empty section or list is as good as none."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: bare(item) for name, item in value.items() if bare(item) is not None} or None
        if isinstance(value, list):
            return [bare(item) for item in value] or None
        return value

    return bool(bare(first) == bare(second))


@given(TEXTS, st.lists(EDITS, min_size=1, max_size=4))
def test_an_edit_does_what_it_says_and_nothing_else(text: str, edits: list[Any]) -> None:
    expected = read_document(text.encode(), "c.yaml").value
    for edit in edits:
        if not model(expected, edit):
            return
        act, path, value = edit
        if act == "put":
            text = yaml_lines.put(text, path, value)
        elif act == "append":
            text = yaml_lines.append(text, path, value)
        else:
            text = yaml_lines.remove(text, path)
        assert same(read_document(text.encode(), "c.yaml").value, expected), text


@given(TEXTS, st.sampled_from([("workers",), ("ui", "ascii"), ("budget", "max_cost_usd")]))
def test_adding_a_setting_keeps_every_line(text: str, path: tuple[str, ...]) -> None:
    after = yaml_lines.put(text, path, 1).split("\n")
    if "budget: {}" not in text or path[0] != "budget":
        rest = iter(after)
        assert all(line in rest for line in text.rstrip("\n").split("\n"))


@given(TEXTS)
def test_adding_and_removing_an_account_gives_the_same_text(text: str) -> None:
    before = read_document(text.encode(), "c.yaml").value["accounts"] or []
    more = yaml_lines.append(text, ("accounts",), {"name": "c", "key": {"vault": "c"}})
    again = yaml_lines.remove(more, ("accounts", len(before)))
    comments = [part for part in text.split() if part.startswith("c") and part[1:].isdigit()]
    assert all(comment in again for comment in comments)
    if "accounts: [" not in text:
        assert again == text
