"""Setting accounts up: enter keys (each is checked at once), say where they are kept, go on. Can be left any time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, ContentSwitcher, Input, RadioSet, Static

from gsvr_tui.core.messages import AddAccount, CheckKey, CommandDone, CommandRefused
from gsvr_tui.core.secret import Secret
from gsvr_tui.ui import words
from gsvr_tui.ui.safe import join, safe, styled
from gsvr_tui.ui.screens.confirm import Choice, ConfirmScreen
from gsvr_tui.ui.widgets.bars import Line
from gsvr_tui.ui.widgets.key_row import KeyRow
from gsvr_tui.ui.widgets.plain import Radio
from gsvr_tui.ui.widgets.wizard_fields import KeyInput, StoreSet
from gsvr_tui.ui.wizard_state import Entries, Entry, Stage, passphrase_problem

if TYPE_CHECKING:
    from gsvr_tui.ui.base_app import BaseApp

STEPS = (("keys", "Keys"), ("keep", "Keep them"), ("go", "Go on"))
_TERMS = (
    "Add only keys of accounts you are entitled to use, within Google's terms.\n"
    "Quota is counted by project: several keys of one project share its quota."
)
_WHERE = {
    "keyring": "The keys go to your system's keyring. The config only names them.",
    "vault": "The keys go to a file that only your passphrase opens. It is asked for at each start.",
    "env": (
        "Nothing is stored. Each variable named below must be set to its key where gsvr-tui is started, now and at "
        "each start; without it the account can do nothing."
    ),
}


class WizardScreen(ModalScreen[str]):
    """Gives what the user wishes next: `add`, `demo`, or nothing."""

    CSS_PATH = "../styles/wizard.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "later", "Later", id="wizard.later"),
        Binding("alt+right", "step(1)", "Next", id="wizard.next"),
        Binding("alt+left", "step(-1)", "Back", id="wizard.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.entries = Entries()

    @property
    def gsvr(self) -> BaseApp:
        """The app, typed."""
        return cast("BaseApp", self.app)

    # ------------------------------------------------------------ layout

    def compose(self) -> ComposeResult:
        """Title with the steps, the step, what Esc does."""
        self.entries = Entries([account.name for account in self.gsvr.link.model.accounts])
        yield Line(id="steps")
        with ContentSwitcher(id="step", initial="keys"):
            yield from self._compose_keys()
            yield from self._compose_keep()
            yield from self._compose_go()
        yield Line(id="wizard-hint")

    def _compose_keys(self) -> ComposeResult:
        with Vertical(id="keys"):
            yield Static(safe("Your Gemini API keys"), classes="wizard-title")
            yield Static(safe(_TERMS, newlines=True), classes="wizard-text")
            yield KeyInput(
                placeholder="paste one or several keys, or write $NAME of a variable; Enter", password=True, id="key"
            )
            yield Static(id="keys-problem", classes="problem")
            yield Static(id="rows-head")
            yield VerticalScroll(id="rows", can_focus=False)
            with Horizontal(classes="buttons"):
                yield Button("Next: keep them", id="to-keep")
                yield Button("Try the demo: no key, no network", id="demo-now")
                yield Button("Later", id="later")
            yield Static(
                safe("No key yet? Google AI Studio makes one: aistudio.google.com/apikey"), classes="wizard-text"
            )

    def _compose_keep(self) -> ComposeResult:
        options = self.gsvr.options
        with VerticalScroll(id="keep", can_focus=False):
            yield Static(safe("Where to keep the keys"), classes="wizard-title")
            with StoreSet(id="store"):
                yield Radio(
                    "System keyring" if options.keyring_available else "System keyring (none found on this machine)",
                    value=options.keyring_available,
                    disabled=not options.keyring_available,
                    id="keyring",
                )
                yield Radio("Encrypted file", value=not options.keyring_available, id="vault")
                yield Radio("Environment variables", id="env")
            yield Static(id="where", classes="wizard-text")
            with Vertical(id="passphrases"):
                again = "" if not self.gsvr.vault_exists else " of your encrypted file"
                yield Input(placeholder=f"passphrase{again}", password=True, id="passphrase")
                if not self.gsvr.vault_exists:
                    yield Input(placeholder="the same again", password=True, id="passphrase-again")
            yield Static(id="variables", classes="wizard-text")
            yield Static(id="keep-problem", classes="problem")
            yield Static(id="kept")
            with Horizontal(classes="buttons"):
                yield Button("Keep", id="do-keep")
                yield Button("Back", id="to-keys")
                yield Button("Later", id="later-2")

    def _compose_go(self) -> ComposeResult:
        with Vertical(id="go"):
            yield Static(id="go-title", classes="wizard-title")
            yield Static(id="go-text", classes="wizard-text")
            with Horizontal(classes="buttons"):
                yield Button("Add videos", id="add")
                yield Button("Try the demo", id="demo")
                yield Button("Go to the queue", id="queue")

    def on_mount(self) -> None:
        """Ready to paste."""
        self._show_step("keys")

    def _show_step(self, step: str) -> None:
        self.query_one(ContentSwitcher).current = step
        at = [name for name, _ in STEPS].index(step)
        pieces = [styled("Set up gsvr-tui", "bold $foreground")]
        for index, (_, title) in enumerate(STEPS):
            tone = "bold $accent underline" if index == at else "$status-ok" if index < at else "$muted"
            pieces.append(join((f"{index + 1} ", "$muted"), (title, tone)))
        self.query_one("#steps", Line).show(Content("   ").join(pieces))
        self.query_one("#wizard-hint", Line).show(
            styled("Tab next field   Enter goes on   Esc later; what is kept stays kept", "$muted")
        )
        if step == "keys":
            self.query_one("#key").focus()
        elif step == "keep":
            self._refresh_keep()
            self._to_first_needed()
        else:
            self._refresh_go()
            self.query_one("#add").focus()

    # ------------------------------------------------------------ step 1: keys

    @on(KeyInput.Pasted)
    def _pasted(self, event: KeyInput.Pasted) -> None:
        self.enter_keys(event.text)

    @on(Input.Submitted, "#key")
    def _key_entered(self, event: Input.Submitted) -> None:
        if event.value.strip() or not self.entries.to_keep():
            self.enter_keys(event.value)
        else:
            self._to_keep()

    def enter_keys(self, text: str) -> None:
        """Take keys in and check each at once, side by side."""
        self.query_one("#key", Input).value = ""
        new, problem = self.entries.add(text)
        if not new and not problem:
            problem = "Paste a key, or write $NAME of a variable that holds one; Esc leaves"
        self.query_one("#keys-problem", Static).update(safe(problem))
        rows = self.query_one("#rows")
        for entry in new:
            rows.mount(KeyRow(entry, self.gsvr.marks))
            if entry.key is not None:
                self._check(entry, entry.key)
        self.call_after_refresh(self._regroup)

    @work(group="checks")
    async def _check(self, entry: Entry, key: Secret) -> None:
        link = self.gsvr.link
        answer = await link.ask(CheckKey(link.new_id(), key, link.model.base_url))
        self.entries.checked(entry, answer)
        self._refresh_rows()

    def _refresh_rows(self) -> None:
        head = f"{'key':10}{'name':17}{'project':17}check" if self.entries.items else ""
        self.query_one("#rows-head", Static).update(styled(head, "$muted"))
        shared = self.entries.shared()
        for row in self.query(KeyRow):
            members = shared.get(row.entry.project.strip(), [])
            others = [item.name for item in members if item is not row.entry]
            row.show(f"shares the quota of {row.entry.project.strip()} with {', '.join(others)}" if others else "")
            row.set_class(bool(others) and members[-1] is not row.entry, "-shared")

    def _regroup(self) -> None:
        """Rows of one project stand together."""
        rows = self.query_one("#rows")
        for index, entry in enumerate(self.entries.by_project()):
            found = rows.query(f"#key-{entry.number}")
            if found and rows.children[index] is not found.first():
                rows.move_child(found.first(), before=index)
        self._refresh_rows()

    @on(KeyRow.Edited)
    def _edited(self, event: KeyRow.Edited) -> None:
        if event.settled:
            self._regroup()
        else:
            self._refresh_rows()

    @on(KeyRow.Removed)
    async def _removed(self, event: KeyRow.Removed) -> None:
        self.entries.remove(event.row.entry)
        await event.row.remove()
        self._refresh_rows()
        self.query_one("#key").focus()

    @on(Button.Pressed, "#to-keep")
    def _to_keep(self) -> None:
        pending = self.query_one("#key", Input).value
        if pending:
            self.enter_keys(pending)
        problem = self.entries.problem()
        self.query_one("#keys-problem", Static).update(safe(problem))
        if not problem:
            self._show_step("keep")

    # ------------------------------------------------------------ step 2: keep

    @property
    def store(self) -> str:
        """keyring, vault or env."""
        pressed = self.query_one("#store", RadioSet).pressed_button
        return (pressed.id if pressed is not None else None) or "vault"

    @on(RadioSet.Changed)
    def _refresh_keep(self) -> None:
        store = self.store
        self.query_one("#where", Static).update(safe(_WHERE[store]))
        self.query_one("#passphrases").display = store == "vault"
        lines = [f"{item.name}: {_variable(item)}" for item in self.entries.to_keep()] if store == "env" else []
        self.query_one("#variables", Static).update(safe("\n".join(lines), newlines=True))
        keep = self.query_one("#do-keep", Button)
        keep.label = safe(f"Keep {words.plural(len(self.entries.to_keep()), 'key')}")
        self._show_kept()

    def _show_kept(self) -> None:
        lines = []
        for item in self.entries.items:
            if item.stage in (Stage.KEPT, Stage.REFUSED, Stage.KEEPING):
                tone = {Stage.KEPT: "ok", Stage.REFUSED: "fail"}.get(item.stage, "wait")
                lines.append(join((f"{item.name}  ", f"$status-{tone}"), (item.text, "$foreground")))
                if item.advice:
                    lines.append(styled(f"  {item.advice}", "$muted"))
        self.query_one("#kept", Static).update(Content("\n").join(lines))

    @on(StoreSet.Settled)
    def _to_first_needed(self) -> None:
        """To the first field that still needs something, else to the button that goes on."""
        fields = self.query("#passphrase, #passphrase-again").results(Input) if self.store == "vault" else ()
        needed = [field for field in fields if not field.value]
        (needed[0] if needed else self.query_one("#do-keep")).focus()

    @on(Input.Submitted, "#passphrase, #passphrase-again")
    def _passphrase_entered(self, event: Input.Submitted) -> None:
        again = self.query("#passphrase-again").results(Input)
        if event.value and event.input.id == "passphrase" and any(not field.value for field in again):
            self.query_one("#passphrase-again").focus()
        else:
            self._do_keep()

    def _type_again(self, which: str) -> None:
        fields = list(self.query(which).results(Input))
        for field in fields:
            field.value = ""
        fields[0].focus()

    @on(Button.Pressed, "#do-keep")
    def _do_keep(self) -> None:
        passphrase: Secret | None = None
        problem = ""
        if self.store == "vault":
            exists = self.gsvr.vault_exists
            first = self.query_one("#passphrase", Input).value
            second = "" if exists else self.query_one("#passphrase-again", Input).value
            problem = passphrase_problem(first, second, vault_exists=exists)
            if problem:
                # the second is what is mended when the first could stand
                stands = not exists and not passphrase_problem(first, first, vault_exists=False)
                self._type_again("#passphrase-again" if stands else "#passphrase, #passphrase-again")
            passphrase = Secret(first)
        problem = problem or self.entries.problem()
        self.query_one("#keep-problem", Static).update(safe(problem))
        if not problem:
            self._keep(self.store, passphrase)

    @work(exclusive=True, group="keep")
    async def _keep(self, store: str, passphrase: Secret | None) -> None:
        wanted = self.entries.to_keep()
        self.query_one("#do-keep", Button).disabled = True
        for entry in wanted:
            entry.stage, entry.text, entry.advice = Stage.KEEPING, "keeping", ""
        self._show_kept()
        for entry in wanted:
            # one after the other: they are written to the same files, and the first one may make these
            await self._keep_one(entry, store, passphrase)
        self.query_one("#do-keep", Button).disabled = False
        for field in self.query("#passphrase, #passphrase-again").results(Input):
            field.value = ""
        self._refresh_keep()
        self._refresh_rows()
        if not self.entries.count({Stage.REFUSED}):
            self.gsvr.vault_exists |= store == "vault"
            self._show_step("go")

    async def _keep_one(self, entry: Entry, store: str, passphrase: Secret | None) -> None:
        link = self.gsvr.link
        in_variable = store == "env" or bool(entry.env)
        command = AddAccount(
            link.new_id(),
            entry.name.strip(),
            entry.project.strip(),
            "env" if in_variable else store,
            key=entry.key,
            env=_variable(entry) if in_variable else "",
            passphrase=None if in_variable else passphrase,
            base_url=link.model.base_url,
        )
        answer = await link.ask(command)
        match answer:
            case CommandDone(message=message):
                entry.stage, entry.text, entry.advice = Stage.KEPT, message or "kept", ""
            case CommandRefused(message=message, advice=advice):
                entry.stage, entry.text, entry.advice = Stage.REFUSED, message, advice
            case _:
                entry.stage, entry.text = Stage.REFUSED, "an answer that was not expected"
        self._show_kept()

    # ------------------------------------------------------------ step 3 and leaving

    def _refresh_go(self) -> None:
        kept = self.entries.count({Stage.KEPT})
        self.query_one("#go-title", Static).update(safe(f"{words.plural(kept, 'account')} ready"))
        self.query_one("#go-text", Static).update(
            safe("Add videos now, look at the demo first, or go to the queue. More accounts any time: 2, then a.")
        )

    @on(Button.Pressed, "#add")
    def _add(self) -> None:
        self.dismiss("add")

    @on(Button.Pressed, "#queue")
    def _queue(self) -> None:
        self.dismiss("")

    @on(Button.Pressed, "#demo, #demo-now")
    @work
    async def _demo(self) -> None:
        if await self._may_leave():
            self.dismiss("demo")

    @on(Button.Pressed, "#to-keys")
    def _to_keys(self) -> None:
        self._show_step("keys")

    @on(Button.Pressed, "#later, #later-2")
    def _later_pressed(self) -> None:
        self.action_later()

    @work
    async def action_later(self) -> None:
        """Leave; asks when keys would be lost."""
        if await self._may_leave():
            self.dismiss("")

    async def _may_leave(self) -> bool:
        open_keys = len(self.entries.to_keep())
        if not open_keys:
            return True
        question = ConfirmScreen(
            "Leave without keeping?",
            f"{words.plural(open_keys, 'key')} entered here {'is' if open_keys == 1 else 'are'} not kept yet.",
            (Choice("stay", "Stay"), Choice("leave", "Leave", "fail")),
        )
        return await self.gsvr.push_screen_wait(question) == "leave"

    def action_step(self, by: int) -> None:
        """Alt+arrows between the steps."""
        here = self.query_one(ContentSwitcher).current
        if here == "keys" and by > 0:
            self._to_keep()
        elif here == "keep" and by < 0:
            self._show_step("keys")


def _variable(entry: Entry) -> str:
    """The variable of an account: the one named, else one made of its name."""
    if entry.env:
        return entry.env
    plain = "".join(char if char.isascii() and char.isalnum() else "_" for char in entry.name.strip().upper())
    return f"GEMINI_API_KEY_{plain}"
