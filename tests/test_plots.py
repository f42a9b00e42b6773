"""The style of all charts, and that one that cannot be drawn costs nothing else."""

import os
import sys

import pytest

from tinycnn.plots import Series, draw, optional_chart, plot_lines

NEW = b"a chart"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ImportError("numpy.core.multiarray failed to import"), "numpy.core.multiarray failed"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_a_failure_of_drawing_or_writing_costs_only_the_chart(tmp_path, capsys, fault, told):
    def broken():
        raise fault

    assert not optional_chart(tmp_path / "chart.svg", broken)
    assert not optional_chart(tmp_path / "no" / "chart.svg", lambda: NEW)
    warning, of_the_folder = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: ")
    assert told in warning
    assert "does not exist" in of_the_folder
    assert os.listdir(tmp_path) == []
    assert optional_chart(tmp_path / "chart.svg", lambda: NEW)
    assert (tmp_path / "chart.svg").read_bytes() == NEW


def test_a_chart_without_matplotlib_names_the_extra(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert not optional_chart(tmp_path / "chart.svg", lambda: NEW)
    assert "needs matplotlib: pip install 'tinycnn[report]'" in capsys.readouterr().err


def test_no_other_settings_of_matplotlib_change_a_chart():
    mpl = pytest.importorskip("matplotlib")

    def paint(figure):
        plot_lines(figure.subplots(), [Series("line", [(0, 0), (1, 2)])])

    chart = draw(paint, 3, 2)
    with mpl.rc_context({"xtick.labelcolor": "#010203", "axes.grid": True}):
        assert draw(paint, 3, 2) == chart
