"""All keys in one table: names, commands, and lines for the list of keys."""

from dataclasses import dataclass

from apps.sketchpad.context import Command


@dataclass(frozen=True)
class Key:
    """A key and its command."""

    names: str  # pygame's names, with "ctrl+" and "shift+" in front, separated by spaces
    command: Command
    does: str = ""  # empty: another line mentions this key
    shown: str = ""  # the name in the list of keys, where ``names`` does not serve


ZOOM_IN = "ctrl+= ctrl+shift+= ctrl++ ctrl+[+]"  # "+" needs Shift on many keyboards

KEYS = (
    Key("", (), "draw; a click is a dot", "left button, pen, finger"),
    Key("", (), "erase", "right button, E held"),
    Key("ctrl+z", ("undo",), "take back the last stroke, also a clear", "Ctrl+Z"),
    Key("ctrl+y ctrl+shift+z", ("redo",), "redo", "Ctrl+Y, Ctrl+Shift+Z"),
    Key("c delete escape", ("clear",), "a new page", "C, Delete, Esc"),
    Key("", (), "the selected digit is this one; again: undo", "0 to 9"),
    Key("n", ("label", ""), "not a digit", "N"),
    Key("tab", ("next", 1), "select the next or previous digit", "Tab, Shift+Tab"),
    Key("shift+tab", ("next", -1)),
    Key("[", ("brush_step", -1), "thinner or thicker brush", "[ and ], wheel"),
    Key("]", ("brush_step", 1)),
    Key("p", ("naive",), "prepare naively, as many programs do", "P"),
    Key("t", ("digit",), "lay a test digit on the paper", "T"),
    Key("shift+t", ("mistake",), "one that this network gets wrong", "Shift+T"),
    Key("space", ("freeze",), "freeze the tab", "Space"),
    Key("return", ("enlarge",), "enlarge the tab, and back", "Enter"),
    Key("ctrl+c", ("copy",), "copy the number", "Ctrl+C"),
    Key("s ctrl+s", ("save",), "save picture, strokes and reading", "S"),
    Key("o ctrl+o", ("open",), "read a photo or a picture", "O, or drop a file"),
    Key("a", ("adapt",), "learn from your corrections", "A"),
    Key("ctrl+a", ("discard",), "back to the network as it was loaded", "Ctrl+A"),
    Key("r", ("reload",), "load the weights again (training goes on)", "R"),
    Key(ZOOM_IN, ("zoom", 1), "everything larger or smaller", "Ctrl +, Ctrl -"),
    Key("ctrl+- ctrl+[-]", ("zoom", -1)),
    Key("f11", ("fullscreen",), "full screen", "F11"),
    Key("f12", ("photograph",), "screenshot of this window", "F12"),
    Key("f1", ("help",), "this list", "F1"),
    Key("ctrl+q", ("quit",), "quit", "Ctrl+Q"),
)


def by_name(keys: tuple[Key, ...]) -> dict[str, Command]:
    """From pygame's name of a key to its command."""
    return {name: key.command for key in keys for name in key.names.split()}
