"""The style of all charts, and that one that cannot be drawn costs nothing else."""

import sys

import pytest

from tinycnn.files import write_bytes
from tinycnn.plots import Series, draw, or_warn, plot_lines


def test_a_failure_of_drawing_or_writing_costs_only_the_chart(tmp_path, capsys, monkeypatch):
    def broken():
        raise MemoryError

    assert or_warn("it", broken) is None
    assert or_warn("it", lambda: write_bytes(tmp_path / "no" / "chart.svg", b"a chart")) is None
    assert or_warn("it", lambda: b"a chart") == b"a chart"
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert or_warn("it", lambda: b"a chart") is None
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "warning: it is not drawn: MemoryError"
    assert "does not exist" in second
    assert "needs matplotlib: pip install 'tinycnn[report]'" in third


def test_no_other_settings_of_matplotlib_change_a_chart():
    mpl = pytest.importorskip("matplotlib")

    def paint(figure):
        plot_lines(figure.subplots(), [Series("line", [(0, 0), (1, 2)])])

    chart = draw(paint, 3, 2)
    with mpl.rc_context({"xtick.labelcolor": "#010203", "axes.grid": True}):
        assert draw(paint, 3, 2) == chart
