"""The tabs that look inside: each draws one view of the selected digit, and takes commands.

A tab is a subclass of ``parts.Tab``. Whenever anything has changed, the shown tab is drawn by
``tab.draw(canvas, context)``. ``canvas`` is the tab's part of the window, whose size may change;
``context`` holds the digit, its 28 x 28 image, the network, and ``context.ask`` for everything that
takes more than a millisecond. While it draws, a tab lists what can be clicked, and the commands:

    canvas.hit(area, ("tab", "channel", 3), "what a click does")
    canvas.button(area, "step", ("tab", "step"))
    canvas.slider(area, fraction, ("tab", "rate"))      gives ("tab", "rate", new fraction)

``("tab", *action)`` comes back as ``tab.act(action, context)``; any other command goes to the
sketchpad (see ``commands``). Only commands change a tab, so sessions can be recorded and played
again. A tab does no mathematics; it draws the results of functions of ``tinycnn``.
"""

from apps.sketchpad.tabs.parts import Tab


def tabs() -> list[Tab]:
    """All tabs, in the order of their keys."""
    from apps.sketchpad.tabs.answer import AnswerTab
    from apps.sketchpad.tabs.filters import FiltersTab
    from apps.sketchpad.tabs.learn import LearnTab
    from apps.sketchpad.tabs.steps import StepsTab
    from apps.sketchpad.tabs.teach import TeachTab
    from apps.sketchpad.tabs.why import WhyTab

    tabs = (WhyTab, AnswerTab, FiltersTab, StepsTab, TeachTab, LearnTab)
    return [tab() for tab in tabs]
