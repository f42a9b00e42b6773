"""Everything that can be done: a command is a name with arguments, all of them JSON.

Nothing else changes a session, so what was recorded can be played again.
"""

from collections.abc import Callable
from typing import Any

from apps.sketchpad import samples, saving
from apps.sketchpad.context import Command
from apps.sketchpad.editor import BRUSHES
from apps.sketchpad.phrases import UNREAD
from apps.sketchpad.session import LOAD, SHEET, Session
from tinycnn.errors import TinyCNNError

OFTEN = ("move", "rub", "hover", "room")  # what these do is seen, and no note is worth less for it


def do(session: Session, command: Command) -> None:
    """Do one command; raises TinyCNNError for one that does not exist or has other arguments."""
    name, *arguments = command
    action = COMMANDS.get(name)
    if action is None:
        raise TinyCNNError(f"there is no command {name!r} in the sketchpad")
    session.changes += 1
    if name not in OFTEN:
        session.screen.note = ""
    try:
        action(session, *arguments)
        session.teacher.follow(session)
    except TinyCNNError as error:
        session.screen.note = str(error)
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
    """The window has so much room for the paper."""
    session.pad.room = width, height


def select(session: Session, number: int) -> None:
    """Look at one of the digits."""
    if session.answer and 0 <= number < len(session.answer.groups):
        session.chosen = session.answer.groups[number]


def step(session: Session, step: int) -> None:
    """Look at the next digit, or the one before."""
    if session.answer and session.answer.groups:
        select(session, ((session.selected or 0) + step) % len(session.answer.groups))


def label(session: Session, name: str) -> None:
    """The selected digit is a ``name``; "" if it is no digit at all."""
    if session.answer is None or session.selected is None or session.pad.page.sheet:
        session.screen.note = "write a digit first, then say what it is"
    elif session.engine and name and name not in session.engine.classes:
        session.screen.note = f"this network has no class {name}"
    else:
        session.pad.label(session.answer.groups[session.selected], name)


def show(session: Session, tab: int) -> None:
    """Show one of the tabs."""
    session.screen.tab = min(max(tab, 0), max(len(session.tabs) - 1, 0))


def tab(session: Session, *words: Any) -> None:
    """Something that the shown tab understands."""
    if session.tabs:
        session.tabs[session.screen.tab].act(words, session.look())


def _flip(name: str) -> Callable[[Session], None]:
    """A command that switches something about the screen on, or off again."""
    return lambda session: setattr(session.screen, name, not getattr(session.screen, name))


def freeze(session: Session) -> None:
    """Keep the tab as it is, or let it follow the drawing again."""
    session.screen.frozen = None if session.screen.frozen else session.look()


def hover(session: Session, x: float, y: float) -> None:
    """The mouse is at a place of the window."""
    session.screen.hover = x, y


def digit(session: Session) -> None:
    """Lay a test digit on the paper."""
    session.worker.submit(SHEET, None, samples.any_digit, float(session.rng.random()))


def mistake(session: Session) -> None:
    """Lay a test digit on the paper that this network gets wrong."""
    if session.engine:
        session.mistakes += 1
        session.worker.submit(SHEET, None, samples.mistake, session.engine, session.mistakes - 1)


def open_file(session: Session, path: str = "") -> None:
    """Open a file; without its name, ask for it."""
    if path:
        session.worker.submit(SHEET, None, samples.opened, path)
    else:
        session.screen.typed = ""


def type_text(session: Session, text: str) -> None:
    """Add to what is being typed."""
    session.screen.typed = (session.screen.typed or "") + text


def untype(session: Session) -> None:
    """Take the last typed letter back."""
    session.screen.typed = (session.screen.typed or "")[:-1]


def typed(session: Session, wanted: bool) -> None:
    """What was asked for has been typed, or is not wanted any more."""
    path, session.screen.typed = session.screen.typed, None
    if wanted and path:
        open_file(session, path)


def save(session: Session) -> None:
    """Save the drawing."""
    files = saving.save(session, session.folder)
    session.screen.note = "wrote " + ", ".join(path.name for path in files)


def reload(session: Session) -> None:
    """Load the weights again: training may go on meanwhile."""
    session.worker.submit(LOAD, None, lambda: session.load().sharpen())


def adapt(session: Session) -> None:
    """Have a copy of the network learn from all corrections, and show what came of it."""
    titles = [tab.title for tab in session.tabs]
    if "Teach" in titles:
        session.screen.tab = titles.index("Teach")
    session.teacher.adapt(session)


def copy(session: Session) -> None:
    """Put the text on the clipboard; not one that is older than the drawing."""
    text = session.text
    if not text:
        reading = not (session.up_to_date or session.pad.page.empty)
        session.screen.note = "still reading: nothing was copied" if reading else "nothing to copy"
        return
    session.wishes.append(("copy", text))
    unread = f"; {UNREAD} is ink that was not read" * (UNREAD in text)
    session.screen.note = f"copied {' / '.join(text.splitlines())}{unread}{_left_out(session)}"


def _left_out(session: Session) -> str:
    """What to know of ink that is no part of the text."""
    count = len(session.unread)
    return f"; {count} mark{'s' * (count > 1)} not read" * (count > 0)


COMMANDS: dict[str, Callable[..., None]] = {
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
    "next": step,
    "label": label,
    "show": show,
    "tab": tab,
    "naive": _flip("naive"),
    "enlarge": _flip("enlarged"),
    "help": _flip("help"),
    "freeze": freeze,
    "hover": hover,
    "digit": digit,
    "mistake": mistake,
    "open": open_file,
    "type": type_text,
    "untype": untype,
    "typed": typed,
    "save": save,
    "reload": reload,
    "adapt": adapt,
    "keep": lambda session: session.teacher.keep_result(session, own=False),
    "keep_as": lambda session: session.teacher.keep_result(session, own=True),
    "discard": lambda session: session.teacher.discard(session),
    "export": lambda session: session.teacher.export(session),
    "copy": copy,
    "quit": lambda session: session.wishes.append(("quit",)),
}
