"""The system's side of the window: its display, its clipboard, and pictures of it."""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pygame

from apps.sketchpad import primitives, theme
from apps.sketchpad.layout import USUAL
from tinycnn.errors import EnvironmentFault
from tinycnn.files import write_bytes

RING = pygame.event.custom_type()
"""The event that says: a worker in the background has a result."""

TITLE = "tinycnn sketchpad"
CLASS = "tinycnn-sketchpad"  # the name for window managers
PLAIN_TEXT = "text/plain;charset=utf-8"  # SDL's own clipboard; pygame.SCRAP_TEXT may be refused
LINES = 1080  # of a usual screen
PERSONALIZE = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
ASKED = (  # commands of several systems, and what they print when windows are to be dark
    (["gsettings", "get", "org.gnome.desktop.interface", "color-scheme"], "prefer-dark"),
    (["kreadconfig5", "--group", "General", "--key", "ColorScheme"], "Dark"),
    (["defaults", "read", "-g", "AppleInterfaceStyle"], "Dark"),
    (["reg", "query", PERSONALIZE, "/v", "AppsUseLightTheme"], "0x0"),
)
INVISIBLE = ("dummy", "offscreen")
NO_DISPLAY = (
    "no display was found to open a window on; log in to a desktop, or add --headless with --replay"
)


def open_window(size: tuple[int, int] | None) -> pygame.Surface:
    """Open the window, of the usual size if none is given; EnvironmentFault without a display.

    Without a display, SDL silently draws to nowhere unless its driver is checked.
    """
    asked_for = os.environ.get("SDL_VIDEODRIVER") or _driver()
    os.environ["SDL_VIDEO_X11_WMCLASS"] = CLASS  # the default is __main__.py
    try:
        pygame.display.init()
        if pygame.display.get_driver() in INVISIBLE and asked_for not in INVISIBLE:
            pygame.display.quit()
            raise EnvironmentFault(NO_DISPLAY)
        if pygame.display.get_driver() == "x11":
            # By OpenGL, the whole window would be sent for every change: 6 ms, and not 0.3.
            os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
        pygame.display.set_caption(TITLE)
        pygame.display.set_icon(_icon())
        size = size or (round(USUAL[0] * fitting_scale()), round(USUAL[1] * fitting_scale()))
        if pygame.display.get_driver() not in INVISIBLE:
            desktop = pygame.display.get_desktop_sizes()[0]
            size = min(size[0], desktop[0]), min(size[1], desktop[1])
        surface = pygame.display.set_mode(size, pygame.RESIZABLE)
    except pygame.error as error:
        raise EnvironmentFault(f"{NO_DISPLAY} ({error})") from error
    pygame.key.set_repeat(400, 40)
    return surface


def fitting_scale() -> float:
    """In quarters, by the lines of the screen: with more than usual, all would be too small."""
    if pygame.display.get_driver() in INVISIBLE:
        return 1.0
    lines = min(pygame.display.get_desktop_sizes()[0])
    return min(max(int(4 * lines / LINES) / 4, 1.0), 3.0)


def is_dark() -> bool:
    """Whether the system asks for dark windows; False where it does not say."""
    if "dark" in os.environ.get("GTK_THEME", "").lower():
        return True
    for command, dark in ASKED:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            said = subprocess.run(command, capture_output=True, text=True, timeout=3, check=True)
            return re.search(dark, said.stdout) is not None
    return False


def _driver() -> str | None:
    """Name the driver for SDL, where it is known: SDL prints complaints about those that fail."""
    if not sys.platform.startswith("linux") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    if not os.environ.get("DISPLAY"):
        raise EnvironmentFault(NO_DISPLAY)
    os.environ["SDL_VIDEODRIVER"] = "x11"
    return "x11"


def _icon() -> pygame.Surface:
    icon = primitives.rounded((64, 64), theme.BLUE, 14).copy()
    digit = primitives.text("7", 50, theme.CARD, bold=True)
    icon.blit(digit, digit.get_rect(center=(32, 33)))
    return icon


def ring() -> None:
    """Wake the window up; may be called from any thread."""
    if pygame.display.get_init():
        pygame.event.post(pygame.event.Event(RING))


def copy(text: str) -> None:
    """Put a text on the clipboard."""
    try:
        pygame.scrap.init()
        pygame.scrap.put(PLAIN_TEXT, text.encode())
    except pygame.error as error:
        print(f"the clipboard cannot be used: {error}", file=sys.stderr)


def paste() -> str:
    """The first line of the text on the clipboard."""
    held = b""
    with contextlib.suppress(pygame.error):
        pygame.scrap.init()
        held = pygame.scrap.get(PLAIN_TEXT) or b""
    return held.decode(errors="replace").strip("\0\r\n ").partition("\n")[0]


def save_png(surface: pygame.Surface, path: Path) -> None:
    """Write a surface as PNG; raises EnvironmentFault."""
    buffer = io.BytesIO()
    pygame.image.save(surface, buffer, "out.png")
    write_bytes(path, buffer.getvalue())
