"""The tabs that look inside: each draws one view of the selected digit, and takes commands.

A tab is a subclass of ``parts.Tab``. ``draw`` draws a ``Context`` on a ``Canvas``, and lists what
can be clicked; ``("tab", *action)`` comes back as ``act(action, context)``. Only commands change a
tab, so sessions can be played again. A tab does no mathematics; it draws what ``tinycnn`` computes.
"""

from apps.sketchpad.tabs.parts import Tab


def tabs() -> list[Tab]:
    """All tabs, in the order of their keys."""
    from apps.sketchpad.tabs import answer, filters, learn, steps, teach, why

    tabs = (why.WhyTab, answer.AnswerTab, filters.FiltersTab, steps.StepsTab)
    return [tab() for tab in (*tabs, teach.TeachTab, learn.LearnTab)]
