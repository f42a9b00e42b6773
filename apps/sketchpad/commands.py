"""All commands; nothing else changes a session, so a recorded session can be played again."""

import os
from collections.abc import Callable
from functools import partial

import numpy as np

from apps.sketchpad import files
from apps.sketchpad.context import Command
from apps.sketchpad.editor import BRUSHES
from apps.sketchpad.games import GAMES, Game
from apps.sketchpad.phrases import UNREAD
from apps.sketchpad.session import SHEET, Session
from tinycnn.errors import TinyCNNError

POINTING = ("point", "click")  # keys in place of a mouse: what they do is a command itself
# These leave the note of the command before, and those what lies over the window:
OFTEN = ("move", "rub", "hover", "room", "up", *POINTING)
ABOVE = ("ask", "popup", "dialog", "paste", "look", "look_on")
SLOWEST, FASTEST = 0.001, 0.3  # learning rates of a course


def do(session: Session, command: Command) -> Command | None:
    """Do one command; raises TinyCNNError for one that does not exist or has other arguments.

    Returns the effect that it has beyond the session, for a window to carry out.
    """
    name, *arguments = command
    action = COMMANDS.get(name)
    if action is None:
        raise TinyCNNError(f"there is no command {name!r} in the sketchpad")
    session.changes += 1
    session.note(command)
    if name not in OFTEN:
        session.screen.note, session.screen.tips = "", False
        if name not in ABOVE:
            session.screen.popup = ""
    try:
        effect: Command | None = action(session, *arguments)
        session.teacher.follow(session.pad.page, session.answer)
        return effect
    except TinyCNNError as error:
        session.screen.note = str(error)
        return None
    except (TypeError, ValueError, OverflowError, IndexError) as error:
        raise TinyCNNError(f"the command {name!r} does not take {arguments}") from error


def of_pad(name: str) -> Callable[..., None]:
    """The command that a method of the pad carries out."""
    return lambda session, *arguments: getattr(session.pad, name)(*arguments)


def switch(name: str) -> Callable[[Session], None]:
    """The command that switches something about the screen on, or off again."""
    return lambda session: setattr(session.screen, name, not getattr(session.screen, name))


def clear(session: Session) -> None:
    """Take a new page; a game that is over ends with its page."""
    session.pad.clear()
    if session.game and session.game.over:
        session.game = None


def select(session: Session, number: int) -> None:
    """Look at one of the digits."""
    if session.answer and 0 <= number < len(session.answer.groups):
        session.pad.chosen = session.answer.groups[number]


def select_next(session: Session, step: int) -> None:
    """Look at the next digit, or the one before."""
    if session.answer and session.answer.groups:
        select(session, ((session.selected or 0) + step) % len(session.answer.groups))


def label(session: Session, name: str) -> None:
    """Label the selected digit with a class; "" for not a digit."""
    group = _written(session)
    if session.engine and name and name not in session.engine.classes:
        raise TinyCNNError(f"this network has no class {name}")
    session.pad.label(group, name)


def _written(session: Session) -> frozenset[int]:
    """The strokes of the selected digit."""
    if session.answer is None or session.selected is None or session.pad.page.sheet:
        raise TinyCNNError("write a digit first, then say what it is")
    return session.answer.groups[session.selected]


def show(session: Session, tab: int, enlarged: bool | None = None) -> None:
    """Show one of the tabs, and perhaps give it all room, or none more than it has."""
    if enlarged is not None:
        session.screen.enlarged = bool(enlarged)
    session.screen.tab = min(max(tab, 0), max(len(session.tabs) - 1, 0))


def show_titled(session: Session, title: str) -> None:
    """Show the tab of that title, if there is one."""
    titles = [tab.title for tab in session.tabs]
    if title in titles:
        session.screen.tab = titles.index(title)


def mistake(session: Session) -> None:
    """Lay a test digit on the paper that this network gets wrong: every time another one."""
    if session.engine:
        session.worker.submit(SHEET, None, files.mistake, session.engine, session.mistakes)
        session.mistakes += 1


def ask(session: Session, number: int | None = None) -> None:
    """Ask what one of the digits, or the selected one, really is; once more: do not ask."""
    again = session.screen.popup == "label" and number in (None, session.selected)
    if number is not None:
        select(session, number)
    _written(session)
    session.screen.popup = "" if again else "label"


def popup(session: Session, name: str) -> None:
    """Show what lies over the window, or hide it when it is shown."""
    if name not in ("", "help", "open", "games"):
        raise TinyCNNError(f"there is no popup {name!r}")
    session.screen.popup = "" if session.screen.popup == name else name


def open_file(session: Session, path: str = "") -> Command | None:
    """Open a file: also a network's. Without one, show a dialog. A window plays a replay."""
    if not path:
        session.screen.popup = "open"
        return None
    if files.is_replay(path):
        return "play", path
    if path.endswith(files.WEIGHTS) and session.engine:
        session.load_engine(partial(type(session.engine).load, os.path.expanduser(path)))
        return None
    session.worker.submit(SHEET, None, files.opened, os.fspath(path))
    return None


def look(session: Session, layer: int, row: int, column: int, channel: int) -> None:
    """Show the sum behind a number of a layer; once more: hide it."""
    asked = (int(layer), int(row), int(column), int(channel))
    shown = session.screen.popup == "sum" and session.screen.asked == asked
    session.screen.popup, session.screen.asked = "" if shown else "sum", asked


def look_on(session: Session, stage: int, rows: int, columns: int, maps: int) -> None:
    """Show the sum of a neighbor: of another stage, or so many rows, columns and maps away."""
    engine = session.engine
    stages = engine.inspector.stages[:-1] if engine and engine.compiled else []
    if not stages or session.context().digit is None:
        raise TinyCNNError("write a digit first, then look at its numbers")
    assert engine is not None
    asked = session.screen.asked or (stages[0], 12, 12, 0)
    at = stages.index(asked[0]) if asked[0] in stages else 0
    layer = stages[min(max(at + stage, 0), len(stages) - 1)]
    shape = (1, 1, *engine.inspector.tracer.shapes[layer + 1])[-3:]
    cell = (a + b for a, b in zip(asked[1:], (rows, columns, maps), strict=True))
    found = (min(max(place, 0), most - 1) for place, most in zip(cell, shape, strict=True))
    session.screen.asked, session.screen.popup = (layer, *found), "sum"


def play(session: Session) -> None:
    """Play the network in slow motion, or stop it."""
    if session.moment is None and session.context().digit is None:
        raise TinyCNNError("write a digit first, then watch it run through the network")
    session.played = None if session.moment is not None else session.clock()


def game(session: Session, kind: str, seed: int = 0) -> None:
    """Begin a game on a new page; without a kind, end it."""
    session.game = None
    if kind:
        if kind not in GAMES:
            raise TinyCNNError(f"there is no game {kind!r}")
        session.pad.clear()
        session.game = Game(kind, int(seed), session.clock())


def course(session: Session, what: str, part: float = 1.0) -> None:
    """Train a new network: go on or pause, a step, restart, so many times the rate; read live."""
    training = session.course
    match what:
        case "run":
            training.running = not training.running
        case "step" | "restart":
            getattr(training, what)()
        case "rate":
            training.rate = min(max(training.rate * float(part), SLOWEST), FASTEST)
        case "live":
            training.live = not training.live
            if not training.live:
                discard(session)


def save(session: Session) -> Command:
    """Save reading, strokes and replay; the window adds a card and a film of them."""
    path = files.save(session, session.folder)
    session.screen.note = f"wrote {path.name}.json; its card and its film are being made"
    return "share", path


def copy(session: Session) -> Command:
    """Copy the text to the clipboard, unless it is older than the drawing."""
    text = session.text
    if not text:
        reading = not (session.up_to_date or session.pad.page.empty)
        raise TinyCNNError("still reading: nothing was copied" if reading else "nothing to copy")
    unread = f"; {UNREAD} is ink that was not read" * (UNREAD in text)
    count = len(session.unread)
    marks = f"; {count} mark{'s' * (count > 1)} not read" * (count > 0)
    session.screen.note = f"copied {' / '.join(text.splitlines())}{unread}{marks}"
    return "copy", text


def adapt(session: Session) -> None:
    """Have a copy of the network learn from all corrections, and show the outcome."""
    show_titled(session, "Teach")
    session.teacher.adapt(session.engine)


def discard(session: Session) -> None:
    """Bring the loaded network back."""
    base = session.teacher.forget()
    if base is not None:
        session.put(base)
        session.screen.note = "back to the network as it was loaded"


COMMANDS: dict[str, Callable[..., Command | None]] = {
    **{name: switch(name) for name in ("enlarged", "dark", "developer")},
    **{name: of_pad(name) for name in ("down", "move", "up", "rub", "undo", "redo")},
    **{name: of_pad(name) for name in ("step", "press")},
    "single": lambda session: session.pad.take_as_one(),
    "brush_part": lambda session, part: session.pad.set_brush(np.interp(part, (0, 1), BRUSHES)),
    "brush_step": lambda session, step: session.pad.set_brush(session.pad.brush + 2 * step),
    "clear": clear,
    "room": lambda session, width, height: setattr(session.pad, "room", (width, height)),
    "select": select,
    "next": select_next,
    "label": label,
    "show": show,
    "tab": lambda s, *act: next((t.act(act, s.context()) for t in s.tabs[s.screen.tab :]), None),
    "steps": lambda session: show_titled(session, "Steps"),
    "look": look,
    "look_on": look_on,
    "play": play,
    "ask": ask,
    "popup": popup,
    "paste": lambda session: ("paste",),
    "game": game,
    "course": course,
    "tool": lambda session, name: setattr(session.pad, "tool", str(name)),
    "hover": lambda s, x, y, k=False: vars(s.screen).update(hover=(x, y), tips=True, keyed=k),
    "digit": lambda session: session.worker.submit(SHEET, None, files.any_digit, session.rng),
    "mistake": mistake,
    "open": open_file,
    "dialog": lambda session, path: vars(session.screen).update(typed=str(path), popup="open"),
    "save": save,
    "adapt": adapt,
    "keep": lambda session: session.teacher.keep(session.folder),
    "discard": discard,
    "export": lambda session: session.teacher.export(session.engine, session.folder),
    "copy": copy,
    "point": lambda session, right, down: ("point", right, down),
    "click": lambda session: ("click",),
    "zoom": lambda session, step: ("zoom", int(step)),
    "quit": lambda session: ("quit",),
}
