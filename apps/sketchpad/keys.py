"""All keys, in one table: what is pressed, what it does, and how the list of keys says it."""

from dataclasses import dataclass

from apps.sketchpad.context import Command


@dataclass(frozen=True)
class Key:
    """A key and its command."""

    names: tuple[str, ...]
    """As pygame calls them, with "ctrl+" and "shift+" in front: any of them does it."""

    command: Command
    shown: str
    """As people call it; empty: it is listed with another one."""

    does: str = ""


ZOOM_IN = "ctrl+=", "ctrl+shift+=", "ctrl++", "ctrl+[+]"  # with Shift on many keyboards

KEYS = (
    Key((), (), "left button, pen, finger", "draw; a click is a dot"),
    Key((), (), "right button, E held", "erase"),
    Key(("ctrl+z",), ("undo",), "Ctrl+Z", "take back the last stroke, also a clear"),
    Key(("ctrl+y", "ctrl+shift+z"), ("redo",), "Ctrl+Y, Ctrl+Shift+Z", "redo"),
    Key(("c", "delete", "escape"), ("clear",), "C, Delete, Esc", "a new page"),
    Key((), (), "0 to 9", "the selected digit is this one; again: undo"),
    Key(("n",), ("label", ""), "N", "not a digit"),
    Key(("tab",), ("next", 1), "Tab, Shift+Tab", "select the next or previous digit"),
    Key(("shift+tab",), ("next", -1), ""),
    Key(("[",), ("brush_step", -1), "[ and ], wheel", "thinner or thicker brush"),
    Key(("]",), ("brush_step", 1), ""),
    Key(("p",), ("naive",), "P", "prepare naively, as many programs do"),
    Key(("t",), ("digit",), "T", "lay a test digit on the paper"),
    Key(("shift+t",), ("mistake",), "Shift+T", "one that this network gets wrong"),
    Key(("space",), ("freeze",), "Space", "freeze the tab"),
    Key(("return",), ("enlarge",), "Enter", "enlarge the tab, and back"),
    Key(("ctrl+c",), ("copy",), "Ctrl+C", "copy the number"),
    Key(("s", "ctrl+s"), ("save",), "S", "save picture, strokes and reading"),
    Key(("o", "ctrl+o"), ("open",), "O, or drop a file", "read a photo or a picture"),
    Key(("a",), ("adapt",), "A", "learn from your corrections"),
    Key(("ctrl+a",), ("discard",), "Ctrl+A", "back to the network as it was loaded"),
    Key(("r",), ("reload",), "R", "load the weights again (training goes on)"),
    Key(ZOOM_IN, ("zoom", 1), "Ctrl +, Ctrl -", "everything larger or smaller"),
    Key(("ctrl+-", "ctrl+[-]"), ("zoom", -1), ""),
    Key(("f11",), ("fullscreen",), "F11", "full screen"),
    Key(("f12",), ("photograph",), "F12", "screenshot of this window"),
    Key(("f1",), ("help",), "F1", "this list"),
    Key(("ctrl+q",), ("quit",), "Ctrl+Q", "quit"),
)

BY_NAME = {name: key.command for key in KEYS for name in key.names}
