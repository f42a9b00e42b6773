"""All commands; nothing else changes a session, so a recorded session can be played again."""

import os
from collections.abc import Callable
from typing import Any

from apps.sketchpad import files
from apps.sketchpad.context import Command
from apps.sketchpad.editor import BRUSHES
from apps.sketchpad.phrases import UNREAD
from apps.sketchpad.session import SHEET, Session
from tinycnn.errors import TinyCNNError

OFTEN = ("move", "rub", "hover", "room")  # these leave the note of the command before


def do(session: Session, command: Command) -> Command | None:
    """Do one command; raises TinyCNNError for one that does not exist or has other arguments.

    Returns the effect that it has beyond the session, for a window to carry out: ``("quit",)``,
    ``("copy", text)``, ``("zoom", step)``, ``("fullscreen",)`` or ``("photograph",)``.
    """
    name, *arguments = command
    action = COMMANDS.get(name)
    if action is None:
        raise TinyCNNError(f"there is no command {name!r} in the sketchpad")
    session.changes += 1
    if name not in OFTEN:
        session.screen.note = ""
    try:
        effect: Command | None = action(session, *arguments)
        session.teacher.follow(session.pad.page, session.answer)
        return effect
    except TinyCNNError as error:
        session.screen.note = str(error)
        return None
    except (TypeError, ValueError, OverflowError) as error:
        raise TinyCNNError(f"the command {name!r} does not take {arguments}") from error


def down(session: Session, x: float, y: float) -> None:
    """Put the pen on the paper."""
    session.chosen = frozenset()
    session.pad.down(x, y)


def brush_part(session: Session, part: float) -> None:
    """Choose the width of the line, on a scale from 0 to 1."""
    thin, thick = BRUSHES
    session.pad.set_brush(thin + part * (thick - thin))


def room(session: Session, width: float, height: float) -> None:
    """Say how much room the window has for the paper."""
    session.pad.room = width, height


def select(session: Session, number: int) -> None:
    """Look at one of the digits."""
    if session.answer and 0 <= number < len(session.answer.groups):
        session.chosen = session.answer.groups[number]


def select_next(session: Session, step: int) -> None:
    """Look at the next digit, or the one before."""
    if session.answer and session.answer.groups:
        select(session, ((session.selected or 0) + step) % len(session.answer.groups))


def label(session: Session, name: str) -> None:
    """Label the selected digit with a class; "" for not a digit."""
    if session.answer is None or session.selected is None or session.pad.page.sheet:
        raise TinyCNNError("write a digit first, then say what it is")
    if session.engine and name and name not in session.engine.classes:
        raise TinyCNNError(f"this network has no class {name}")
    session.pad.label(session.answer.groups[session.selected], name)


def show(session: Session, tab: int) -> None:
    """Show one of the tabs."""
    session.screen.tab = min(max(tab, 0), max(len(session.tabs) - 1, 0))


def tab(session: Session, *action: Any) -> None:
    """Have the shown tab do something."""
    if session.tabs:
        session.tabs[session.screen.tab].act(action, session.context())


def flip(session: Session, name: str) -> None:
    """Switch something about the screen on, or off again."""
    setattr(session.screen, name, not getattr(session.screen, name))


def freeze(session: Session) -> None:
    """Keep the tab as it is, or let it follow the drawing again."""
    session.screen.frozen = None if session.screen.frozen else session.context()


def hover(session: Session, x: float, y: float) -> None:
    """Move the mouse to a place of the window."""
    session.screen.hover = x, y


def mistake(session: Session) -> None:
    """Lay a test digit on the paper that this network gets wrong: every time another one."""
    if session.engine:
        session.worker.submit(SHEET, None, files.mistake, session.engine, session.mistakes)
        session.mistakes += 1


def open_file(session: Session, path: str = "") -> None:
    """Open a file; without a path, ask for it."""
    if path:
        session.worker.submit(SHEET, None, files.opened, os.fspath(path))
    else:
        session.screen.typed = ""


def type_text(session: Session, text: str) -> None:
    """Add to the path that is being typed."""
    session.screen.typed = (session.screen.typed or "") + text


def untype(session: Session) -> None:
    """Take the last typed letter back."""
    session.screen.typed = (session.screen.typed or "")[:-1]


def typed(session: Session, wanted: bool) -> None:
    """End the typing of a path, and open the file if it is ``wanted``."""
    path, session.screen.typed = session.screen.typed, None
    if wanted and path:
        open_file(session, path)


def save(session: Session) -> None:
    """Save the drawing."""
    paths = files.save(session, session.folder)
    session.screen.note = "wrote " + ", ".join(path.name for path in paths)


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
    titles = [tab.title for tab in session.tabs]
    if "Teach" in titles:
        session.screen.tab = titles.index("Teach")
    session.teacher.adapt(session.engine)


def discard(session: Session) -> None:
    """Bring the loaded network back."""
    base = session.teacher.forget()
    if base is not None:
        session.put(base)
        session.screen.note = "back to the network as it was loaded"


COMMANDS: dict[str, Callable[..., Command | None]] = {
    "down": down,
    "move": lambda session, x, y: session.pad.move(x, y),
    "up": lambda session: session.pad.up(),
    "rub": lambda session, x, y: session.pad.rub(x, y),
    "brush": lambda session, width: session.pad.set_brush(width),
    "brush_part": brush_part,
    "brush_step": lambda session, step: session.pad.set_brush(session.pad.brush + 2 * step),
    "undo": lambda session: session.pad.undo(),
    "redo": lambda session: session.pad.redo(),
    "clear": lambda session: session.pad.clear(session.text),
    "recall": lambda session, number: session.pad.recall(number, session.text),
    "room": room,
    "select": select,
    "next": select_next,
    "label": label,
    "show": show,
    "tab": tab,
    "naive": lambda session: flip(session, "naive"),
    "enlarge": lambda session: flip(session, "enlarged"),
    "help": lambda session: flip(session, "help"),
    "freeze": freeze,
    "hover": hover,
    "digit": lambda session: session.worker.submit(
        SHEET, None, files.any_digit, float(session.rng.random())
    ),
    "mistake": mistake,
    "open": open_file,
    "type": type_text,
    "untype": untype,
    "typed": typed,
    "save": save,
    "reload": lambda session: session.load_engine(),
    "adapt": adapt,
    "keep": lambda session: session.teacher.keep(None),
    "keep_as": lambda session: session.teacher.keep(session.folder),
    "discard": discard,
    "export": lambda session: session.teacher.export(session.engine, session.folder),
    "copy": copy,
    "zoom": lambda session, step: ("zoom", int(step)),
    "fullscreen": lambda session: ("fullscreen",),
    "photograph": lambda session: ("photograph",),
    "quit": lambda session: ("quit",),
}
