"""The tabs to look inside: each draws one view of the selected digit, and takes commands.

How a tab plugs in. A tab is an object like ``Tab``; ``tabs()`` makes them in the order of the
keys F2 to F8. Whenever anything has changed, the shown tab is drawn:

    tab.draw(canvas, look)

``canvas`` (``apps.sketchpad.canvas``) is the tab's part of the window: ``canvas.width`` by
``canvas.height`` logical pixels, (0, 0) at the top left. It draws text, gray and signed pictures,
bars and buttons; ``canvas.mouse`` is where the mouse is, or None. The size changes with the
window, so lay out what fits. ``look`` (``apps.sketchpad.context``) holds the digit, its 28 x 28
image, the network, and ``look.ask`` for everything that takes more than a millisecond.

What can be clicked is said while drawing, with the command that a click gives:

    canvas.hit(area, ("tab", "channel", 3), "what a click does")
    canvas.button(area, "step", ("tab", "step"))
    canvas.slider(area, fraction, ("tab", "rate"))      gives ("tab", "rate", new fraction)

A command is a tuple of JSON values. ``("tab", *words)`` comes back as ``tab.act(words, look)``;
any other goes to the sketchpad (``("label", "7")``, ``("select", 0)``: see ``commands``). Commands
are all that changes a tab, so every session can be recorded and played again. Keys give commands
too: ``tab.keys`` maps key names (pygame's: "left", "return", ".") to a command and its line in
the list of keys.

A tab does no mathematics; it shows what functions of ``tinycnn`` return.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Command, Look


class Tab(Protocol):
    """One view of the selected digit."""

    title: str
    """On the tab bar: one word."""

    purpose: str
    """What is seen here: one line, for the list of keys."""

    keys: Mapping[str, tuple[Command, str]]
    """Key name -> command and what it does; only while the tab is shown."""

    def draw(self, canvas: Canvas, look: Look) -> None:
        """Draw ``look``; say what can be clicked."""

    def act(self, words: Sequence[Any], look: Look) -> None:
        """Do what a command ``("tab", *words)`` says; unknown words change nothing."""


def tabs() -> list[Tab]:
    """All tabs, in the order of their keys."""
    from apps.sketchpad.tabs.backward import Backward
    from apps.sketchpad.tabs.kernels import Kernels
    from apps.sketchpad.tabs.layers import Layers
    from apps.sketchpad.tabs.maths import Maths
    from apps.sketchpad.tabs.steps import Steps
    from apps.sketchpad.tabs.teach import Teach
    from apps.sketchpad.tabs.why import Why

    return [Layers(), Kernels(), Why(), Backward(), Maths(), Steps(), Teach()]
