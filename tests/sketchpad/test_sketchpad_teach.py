"""Corrections in the sketchpad: labels are kept, undone labels are deleted, the base stays."""

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


import numpy as np
import pytest
import sketching
from template_network import DIGITS

from apps.sketchpad.commands import do
from apps.sketchpad.session import Session
from apps.sketchpad.tabs import tabs
from apps.sketchpad.worker import Inline
from tinycnn.adapt import CorrectionFile
from tinycnn.data import load_dataset
from tinycnn.nn import Sequential

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def kept(tmp_path):
    return CorrectionFile(tmp_path / "data" / "drawings.jsonl")


@pytest.fixture
def session(kept, tmp_path):
    made = Session(Inline(), sketching.engine, tabs(), folder=tmp_path, corrections=lambda: kept)
    made.tick()
    made.tick()
    return made


def said(kept):
    corrections, fault = kept.read()
    assert fault is None
    return [(c.label, c.answer) for c in corrections]


def write(session, digit="7"):
    do(session, ("clear",))
    sketching.draw(session, *(3 * np.array(stroke) + 120 for stroke in DIGITS[digit]))
    session.tick()


def say(session, *commands):
    for command in commands:
        do(session, command)
        session.tick()


def test_a_label_is_kept_with_strokes_and_answer(session, kept):
    write(session, "7")
    say(session, ("label", "1"))
    assert said(kept) == [("1", "7")]
    (one,), _ = kept.read()
    assert [len(stroke) for stroke in one.strokes] == [len(stroke) for stroke in DIGITS["7"]]
    assert one.pen == session.pad.brush


def test_the_same_once_more_takes_it_back(session, kept):
    write(session)
    say(session, ("label", "1"), ("label", "1"))
    assert said(kept) == []
    say(session, ("label", "1"), ("label", "2"))
    assert said(kept) == [("2", "7")]


def test_undo_takes_it_back_and_redo_says_it_again(session, kept):
    write(session)
    say(session, ("label", "1"), ("undo",))
    assert said(kept) == []
    say(session, ("redo",))
    assert said(kept) == [("1", "7")]


def test_a_new_page_forgets_nothing_and_keeps_nothing_twice(session, kept):
    write(session)
    say(session, ("label", "1"), ("clear",), ("undo",), ("redo",))
    assert said(kept) == [("1", "7")]


def test_no_digit_is_no_correction(session, kept):
    write(session)
    say(session, ("label", ""))
    assert said(kept) == []


def test_more_strokes_do_not_change_earlier_labels(session, kept):
    write(session)
    say(session, ("label", "1"))
    sketching.draw(session, [(500, 500), (510, 560)])
    assert said(kept) == [("1", "7")]


def test_earlier_corrections_are_read_at_the_start(session, kept, tmp_path):
    write(session)
    say(session, ("label", "1"))
    later = Session(Inline(), sketching.engine, tabs(), corrections=lambda: kept)
    later.tick()
    assert [c.label for c in later.teacher.corrections] == ["1"]


def test_a_damaged_file_is_reported_on_the_tab(session, kept):
    kept.path.parent.mkdir()
    kept.path.write_bytes(b"{\n")
    write(session)
    say(session, ("label", "1"))
    assert "1 of 2 lines cannot be read" in session.teacher.fault
    assert len(session.teacher.corrections) == 1


def test_a_file_that_cannot_be_written_is_one_sentence(session, kept):
    kept.path.mkdir(parents=True)
    write(session)
    say(session, ("label", "1"))
    assert "cannot be used" in session.screen.note


def taught(session, count=6):
    """A 7 that is said to be a 1, again and again."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        do(session, ("clear",))
        lines = (3 * np.array(z) + 120 + rng.normal(0, 3, z.shape) for z in DIGITS["7"])
        sketching.draw(session, *lines)
        session.tick()
        say(session, ("label", "1"))


def test_too_few_are_refused_with_a_sentence(session):
    taught(session, 2)
    say(session, ("adapt",))
    assert "least to learn from" in session.screen.note
    assert not session.teacher.busy
    assert session.screen.tab == [tab.title for tab in session.tabs].index("Teach")


def test_an_adapted_network_reads_until_it_is_discarded(session, kept, monkeypatch):
    taught(session)
    base = session.engine
    before = [z.tobytes() for z in base.model.arrays().values()]
    say(session, ("adapt",))
    result = session.teacher.result
    assert result is not None
    assert result.drawings.n == 6
    assert result.drawings.verdict == "too few to tell"
    assert session.engine is not base
    assert session.engine.model is result.model
    assert [z.tobytes() for z in base.model.arrays().values()] == before
    assert session.engine.about.endswith("adapted")

    say(session, ("adapt",))  # once more, from the base
    assert session.teacher.base is base
    say(session, ("discard",))
    assert session.engine is base
    assert session.teacher.result is None


def test_what_is_kept_can_be_loaded_and_the_base_file_stays(session, kept, tmp_path):
    taught(session)
    base = tmp_path / "tidy.safetensors"
    session.engine.model.save(base)
    session.engine.weights = base
    untouched = base.read_bytes()
    say(session, ("keep",))
    assert "nothing to keep" in session.screen.note
    say(session, ("adapt",), ("keep",), ("keep",))
    first, second = sorted(tmp_path.glob("adapted-*.safetensors"))
    assert str(second) in session.screen.note or str(first) in session.screen.note
    assert Sequential.load(first).description["adapted"]["corrections"] == 6
    assert base.read_bytes() == untouched


def test_corrections_are_exported_as_a_data_set(session, tmp_path):
    taught(session)
    say(session, ("export",))
    (folder,) = tmp_path.glob("corrections-*")
    assert str(folder) in session.screen.note
    assert set(load_dataset(data_dir=folder).train_labels) == {1}


def test_loading_again_ends_the_trial(session):
    taught(session)
    say(session, ("adapt",), ("reload",))
    assert session.teacher.base is None
    assert session.teacher.result is None
    assert "adapted" not in session.engine.about


def test_without_a_file_nothing_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    session = sketching.session(tabs())
    write(session)
    say(session, ("label", "1"))
    assert session.labels == ["1"]
    say(session, ("adapt",))
    assert "not ready" in session.screen.note
    assert not list(tmp_path.iterdir())


def test_a_correction_while_the_network_learns_does_not_end_the_learning(session):
    session.teacher.busy = True
    write(session)
    say(session, ("label", "1"))
    assert session.teacher.busy
    assert len(session.teacher.corrections) == 1
