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
    Key("", (), "erase", "right button"),
    Key("e", ("tool", "eraser"), "the eraser, or the pen again", "E, W"),
    Key("w", ("tool", "pen")),
    Key("d", ("press",), "put a pen on the paper, or lift it", "D"),
    Key("ctrl+left", ("step", -12, 0), "move that pen", "Ctrl+arrows"),
    Key("ctrl+right", ("step", 12, 0)),
    Key("ctrl+up", ("step", 0, -12)),
    Key("ctrl+down", ("step", 0, 12)),
    Key("shift+right", ("look_on", 0, 0, 0, 1), "the sum of the next map", "Shift+\u2190\u2192"),
    Key("shift+left", ("look_on", 0, 0, 0, -1)),
    Key("shift+down", ("look_on", 1, 0, 0, 0), "of the next stage", "Shift+\u2191\u2193"),
    Key("shift+up", ("look_on", -1, 0, 0, 0)),
    Key("alt+down", ("look_on", 0, 1, 0, 0), "of a neighbor", "Alt+arrows"),
    Key("alt+up", ("look_on", 0, -1, 0, 0)),
    Key("alt+right", ("look_on", 0, 0, 1, 0)),
    Key("alt+left", ("look_on", 0, 0, -1, 0)),
    Key("right", ("point", 1, 0), "point at what can be clicked", "Arrows"),
    Key("left", ("point", -1, 0)),
    Key("down", ("point", 0, 1)),
    Key("up", ("point", 0, -1)),
    Key("x", ("click",), "click it", "X"),
    Key("space", ("play",), "play the network in slow motion", "Space"),
    Key("ctrl+z", ("undo",), "take back the last stroke, also a clear", "Ctrl+Z"),
    Key("ctrl+y ctrl+shift+z", ("redo",), "redo", "Ctrl+Y, Ctrl+Shift+Z"),
    Key("c delete", ("clear",), "a new page", "C, Delete"),
    Key("escape", ("popup", ""), "close what lies over the window", "Esc"),
    Key("", (), "the selected digit is this one; again: undo", "0 to 9"),
    Key("n", ("label", ""), "not a digit", "N"),
    Key("q", ("ask",), "what is it really?", "Q"),
    Key("tab", ("next", 1), "select the next or previous digit", "Tab, Shift+Tab"),
    Key("shift+tab", ("next", -1)),
    Key("ctrl+1", ("single",), "all ink is one digit, or a number again", "Ctrl+1"),
    Key("[", ("brush_step", -1), "thinner or thicker brush", "[ and ], wheel"),
    Key("]", ("brush_step", 1)),
    Key("t", ("digit",), "lay a test digit on the paper", "T"),
    Key("shift+t", ("mistake",), "one that this network gets wrong", "Shift+T"),
    Key("return", ("enlarged",), "enlarge the tab, and back", "Enter"),
    Key("ctrl+c", ("copy",), "copy the number", "Ctrl+C"),
    Key("s", ("save",), "share: card, film, strokes, replay", "S"),
    Key("g", ("popup", "games"), "challenges", "G"),
    Key("o ctrl+o", ("open",), "read a photo, or with another network", "O, or drop a file"),
    Key("ctrl+v", ("paste",), "read the picture on the clipboard", "Ctrl+V"),
    Key("a", ("adapt",), "learn from your corrections", "A"),
    Key("k", ("keep",), "keep what it learned: a weights file", "K"),
    Key("ctrl+a", ("discard",), "back to the network as it was loaded", "Ctrl+A"),
    Key(ZOOM_IN, ("zoom", 1), "everything larger or smaller", "Ctrl +, Ctrl -"),
    Key("ctrl+- ctrl+[-]", ("zoom", -1)),
    Key("ctrl+d", ("developer",), "details for developers", "Ctrl+D"),
    Key("ctrl+l", ("dark",), "light or dark colors", "Ctrl+L"),
    Key("f1", ("popup", "help"), "this list", "F1"),
    Key("ctrl+q", ("quit",), "quit", "Ctrl+Q"),
)


def by_name(keys: tuple[Key, ...]) -> dict[str, Command]:
    """From pygame's name of a key to its command."""
    return {name: key.command for key in keys for name in key.names.split()}
