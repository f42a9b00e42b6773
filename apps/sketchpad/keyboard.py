"""The keyboard: which command a key gives at the moment."""

import pygame

from apps.sketchpad.context import Command
from apps.sketchpad.files import listing
from apps.sketchpad.games import GAMES
from apps.sketchpad.keys import KEYS, by_name
from apps.sketchpad.session import Session

MODIFIERS = {"ctrl+": pygame.KMOD_CTRL, "shift+": pygame.KMOD_SHIFT, "alt+": pygame.KMOD_ALT}


def command_of(event: pygame.event.Event, session: Session, compact: bool) -> Command | None:
    """The command for a key: of what lies above, the table, or a class.

    In a ``compact`` window, a tab is shown over the paper.
    """
    name, tabs, screen = pygame.key.name(event.key), session.tabs, session.screen
    if screen.popup == "open":
        return _typed(event, name, screen.typed)
    if screen.popup == "games" and event.unicode in tuple("123"):
        return "game", list(GAMES)[int(event.unicode) - 1], session.pad.version
    keys = by_name(KEYS) | {f"f{n + 2}": ("show", n) for n in range(len(tabs))}
    command = keys.get("".join(m for m, mask in MODIFIERS.items() if event.mod & mask) + name)
    if command is not None:
        return (*command, True) if command[0] == "show" and compact else command
    if event.unicode.isdecimal() and not event.mod & pygame.KMOD_CTRL:
        digit = event.unicode  # the class of that name, or of that number
        classes = session.engine.classes if session.engine else ()
        if digit not in classes and int(digit) < len(classes):
            digit = classes[int(digit)]
        return "label", digit
    return None


def _typed(event: pygame.event.Event, name: str, path: str) -> Command | None:
    """The command for a key while the path of a file is being typed."""
    if name == "escape":
        return "popup", ""
    if name in ("return", "enter"):  # a folder is no file: what is pointed at is meant
        return ("click",) if path[-1:] in ("", *"/\\") else ("open", path)
    if name == "backspace":
        return "dialog", path[:-1]
    if name == "v" and event.mod & pygame.KMOD_CTRL:
        return ("paste",)
    if name in ("up", "down"):
        return "point", 0, 1 if name == "down" else -1
    if name == "tab":
        found = [one for _, one in listing(path) if not one.endswith("../")]
        return "dialog", found[0] if found else path
    return ("dialog", path + event.unicode) if event.unicode.isprintable() else None
