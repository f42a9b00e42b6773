"""Corrections in the sketchpad: labels are kept, undone labels are deleted, the base stays."""

import numpy as np
import pytest
import sketching
from sketching import say
from template_network import DIGITS

from apps.sketchpad.commands import do
from apps.sketchpad.tabs import tabs
from tinycnn.adapt import CorrectionFile
from tinycnn.data import load_dataset
from tinycnn.nn import Sequential

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def kept(tmp_path):
    return CorrectionFile(tmp_path / "data" / "drawings.jsonl")


@pytest.fixture
def session(kept, tmp_path):
    made = sketching.session(tabs(), folder=tmp_path, corrections=lambda: kept)
    made.tick()
    return made


def said(kept):
    corrections, fault = kept.read()
    assert fault is None
    return [(c.label, c.answer) for c in corrections]


def write(session, shake=0.0, rng=None):
    """A 7 on a new page."""
    do(session, ("clear",))
    rng = rng or np.random.default_rng(0)
    lines = (3 * np.array(z) + 120 for z in DIGITS["7"])
    sketching.draw(session, *(z + shake * rng.normal(0, 1, z.shape) for z in lines))


ONE, TWO = ("label", "1"), ("label", "2")


@pytest.mark.parametrize(
    ("commands", "known"),
    [
        ([ONE], [("1", "7")]),
        ([ONE, ONE], []),
        ([ONE, ONE, TWO], [("2", "7")]),
        ([ONE, ("undo",)], []),
        ([ONE, ("undo",), ("redo",)], [("1", "7")]),
        ([ONE, ("clear",), ("undo",), ("redo",)], [("1", "7")]),
        ([("label", "")], []),
        ([ONE, ("down", 500, 500), ("move", 510, 560), ("up",)], [("1", "7")]),
    ],
    ids=lambda z: " ".join(str(command[0]) for command in z) if isinstance(z, list) else "",
)
def test_labels_are_kept_and_those_that_are_taken_back_deleted(session, kept, commands, known):
    write(session)
    say(session, *commands)
    assert said(kept) == known


def test_a_correction_has_strokes_and_pen_and_is_read_at_the_next_start(session, kept):
    write(session)
    say(session, ONE)
    (one,), _ = kept.read()
    assert [len(stroke) for stroke in one.strokes] == [len(stroke) for stroke in DIGITS["7"]]
    assert one.pen == session.pad.brush
    later = sketching.session(tabs(), corrections=lambda: kept)
    assert [c.label for c in later.teacher.corrections] == ["1"]


def test_a_damaged_file_is_reported_and_one_that_cannot_be_written_too(session, kept):
    kept.path.parent.mkdir()
    kept.path.write_bytes(b"{\n")
    write(session)
    say(session, ONE)
    assert "1 of 2 lines cannot be read" in session.teacher.fault
    assert len(session.teacher.corrections) == 1
    kept.path.unlink()
    kept.path.mkdir()
    say(session, TWO)
    assert "cannot be used" in session.screen.note


def taught(session, count=6):
    """A 7 that is said to be a 1, again and again."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        write(session, 3, rng)
        say(session, ONE)


def test_too_few_are_refused_with_a_sentence(session):
    taught(session, 2)
    say(session, ("adapt",))
    assert "least to learn from" in session.screen.note
    assert not session.teacher.busy
    assert session.tabs[session.screen.tab].title == "Teach"


def test_an_adapted_network_reads_until_it_is_discarded(session):
    taught(session)
    base = session.engine
    before = [z.tobytes() for z in base.model.arrays().values()]
    say(session, ("adapt",))
    result = session.teacher.result
    assert (result.drawings.n, result.drawings.verdict) == (6, "too few to tell")
    assert session.engine is not base
    assert session.engine.model is result.model
    assert [z.tobytes() for z in base.model.arrays().values()] == before
    assert session.engine.about.endswith("adapted")
    session.load_engine(sketching.engine)
    session.tick()
    assert session.teacher.base is session.teacher.result is None, "loading ends the trial"
    base = session.engine
    say(session, ("adapt",), ("adapt",))  # once more, from the base
    assert session.teacher.base is base
    say(session, ("discard",))
    assert session.engine is base
    assert session.teacher.result is None


def test_what_is_kept_can_be_loaded_and_exported_and_the_base_file_stays(session, tmp_path):
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
    say(session, ("discard",), ("open", str(first)))
    assert session.engine.about.endswith("adapted"), "a network is opened like a picture"
    say(session, ("open", str(tmp_path / "none.safetensors")))
    assert session.engine.weights == first
    assert "none.safetensors" in session.screen.note
    say(session, ("export",))
    (folder,) = tmp_path.glob("corrections-*")
    assert str(folder) in session.screen.note
    assert set(load_dataset(data_dir=folder).train_labels) == {1}


def test_without_a_file_nothing_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    session = sketching.session(tabs())
    write(session)
    say(session, ONE)
    assert session.labels == ["1"]
    say(session, ("adapt",))
    assert "not ready" in session.screen.note
    assert not list(tmp_path.iterdir())


def test_a_correction_while_the_network_learns_does_not_end_the_learning(session):
    session.teacher.busy = True
    write(session)
    say(session, ONE)
    assert session.teacher.busy
    assert len(session.teacher.corrections) == 1
