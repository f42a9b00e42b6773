"""Compiled kernels are kept where no other user can write, and survive whatever happens to them.

What happens when kernels are imported happens in processes of their own.
"""

import os
import platform
import stat
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from tinycnn import files
from tinycnn.kernels import jit, jobs, microkernels, threads
from tinycnn.kernels.jit import CHECKED, UNCOMPILED

ROOT = Path(__file__).parents[2]

PROGRAM = """
import numpy as np
from numba.core import event
from tinycnn.kernels import relu
with event.install_recorder("numba:compile") as recorder:
    y = relu(np.array([-1, 2], np.float32))
print(len(recorder.buffer) > 0, y.tolist(), sep="|")
"""
COMPILED, FOUND = (f"{compiled}|[0.0, 2.0]" for compiled in (True, False))


def run(program=PROGRAM, cwd=ROOT, **environment):
    """What ``program`` printed in this environment and no other."""
    ours = ("NUMBA_", "XDG_", "TINYCNN_")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    given = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:This process", "-c", program],
        cwd=cwd,
        env=clean | {key: str(value) for key, value in given.items()},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def files_below(folder, pattern="*"):
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


@pytest.fixture
def folder_for(monkeypatch):
    """The folder for the kernels of this file, in an environment with these variables only."""

    def choose(**environment):
        for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        return jit.cache_folder.__wrapped__(Path(__file__))

    return choose


def test_the_folder_is_where_caches_belong_for_its_user_alone(folder_for, tmp_path):
    home, xdg, named = (tmp_path / name for name in ("home", "xdg", "named"))
    folder = folder_for(HOME=home)
    assert folder.parent == home / ".cache" / "tinycnn"
    assert {stat.S_IMODE(z.stat().st_mode) for z in (folder, folder.parent)} == {0o700}
    assert folder_for(HOME=home, XDG_CACHE_HOME=xdg).parent == xdg / "tinycnn"
    assert folder_for(XDG_CACHE_HOME=xdg, NUMBA_CACHE_DIR=named).parent == named / "tinycnn"


@pytest.mark.parametrize("path", ["", "./rel", "~/rel"])
def test_code_is_never_loaded_from_the_current_folder(path, folder_for, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        folder = folder_for(HOME=tmp_path / "home", **{name: path})
        assert folder.parent == tmp_path / "home" / ".cache" / "tinycnn"
    assert os.listdir(tmp_path) == ["home"]


def test_each_version_of_the_sources_mode_and_vector_has_its_folder(
    folder_for, tmp_path, monkeypatch
):
    """Where the processor's name is pinned, numba takes a wide vector's code for a narrow one's."""
    folders = [folder_for(HOME=tmp_path)]
    for name, value in (("CHECKED", not CHECKED), ("LANES", 2 * jit.LANES)):
        monkeypatch.setattr(jit, name, value)
        folders.append(folder_for(HOME=tmp_path))
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    for text in ("a = 1", "a = 2"):
        (tmp_path / "helper.py").write_text(text)
        folders.append(folder_for(HOME=tmp_path))
    assert len({*folders}) == 5


def test_where_no_folder_can_be_there_is_none(folder_for, monkeypatch):
    for nowhere in ("/dev/null", "/proc/1", "/dev/null/x"):
        for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
            assert folder_for(**{name: nowhere}) is None
    assert jit.cache_folder(Path("<stdin>")) is None
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert folder_for() is None


@pytest.mark.parametrize(
    ("mode", "mode_above"), [(0o707, 0o700), (0o770, 0o700), (0o700, 0o777), ("a link", 0o700)]
)
def test_a_folder_in_which_others_may_write_is_not_used(mode, mode_above, tmp_path, monkeypatch):
    folder, elsewhere = tmp_path / "tinycnn" / "kernels", tmp_path / "elsewhere"
    for path in (folder.parent, elsewhere):
        path.mkdir(mode=0o700)
    if mode == "a link":  # whose owner may point it elsewhere
        folder.symlink_to(elsewhere)
    else:
        folder.mkdir()
        folder.chmod(mode)
    folder.parent.chmod(mode_above)
    assert files.private_folder(folder) is None
    monkeypatch.setattr(files.os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert files.private_folder(elsewhere / "kernels") is None, "it is another user's"
    assert os.listdir(elsewhere) == []


@pytest.mark.parametrize("folder", ["/dev/null", "cache"])
def test_nothing_is_written_but_to_the_folder_and_without_one_nothing(folder, tmp_path):
    before, working = files_below(ROOT / "tinycnn"), tmp_path / "cwd"
    working.mkdir()
    assert run(cwd=working, HOME="/dev/null", NUMBA_CACHE_DIR=tmp_path / folder) == COMPILED
    assert bool(files_below(tmp_path, "*.nbc")) == (folder == "cache")
    assert files_below(ROOT / "tinycnn") == before
    assert files_below(working) == []


DAMAGE = {
    "emptied code": lambda data: b"",
    "code cut": lambda data: data[:-1],
    "one bit flipped": lambda data: data[:-500] + bytes([data[-500] ^ 1]) + data[-499:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_compiled_is_found_and_what_is_damaged_is_compiled_again(damage, tmp_path):
    assert run(NUMBA_CACHE_DIR=tmp_path) == COMPILED
    for file in files_below(tmp_path):
        file.write_bytes(DAMAGE[damage](file.read_bytes()))
    assert run(NUMBA_CACHE_DIR=tmp_path) == COMPILED
    assert run(NUMBA_CACHE_DIR=tmp_path) == FOUND


FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
ANOTHER_NUMBA = "from numba.core.compiler import CompileResult; del CompileResult._reduce\n"


@pytest.mark.parametrize("trouble", [FULL_DISK, ANOTHER_NUMBA])
def test_a_full_disk_and_a_numba_with_other_private_parts_cost_only_time(trouble, tmp_path):
    for _ in range(2):
        assert run(trouble + PROGRAM, NUMBA_CACHE_DIR=tmp_path) == COMPILED


IMPORTS = """
import contextlib, importlib, os, pkgutil
with contextlib.suppress(ModuleNotFoundError):
    import sklearn  # which sets variables of its own
before = dict(os.environ)
import tinycnn
for module in pkgutil.walk_packages(tinycnn.__path__, "tinycnn."):
    with contextlib.suppress(ModuleNotFoundError):  # an extra that is not installed
        importlib.import_module(module.name)
print(before == dict(os.environ))
"""


def test_importing_writes_nothing_and_changes_no_environment_variable(tmp_path):
    home, working = tmp_path / "home", tmp_path / "working"
    home.mkdir()
    working.mkdir()
    assert run(IMPORTS, cwd=working, HOME=home, TMPDIR=working) == "True"
    assert [*home.iterdir(), *working.iterdir()] == []


def test_a_setting_of_numba_that_cannot_be_is_refused_in_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tinycnn.train", "--run-dir", tmp_path / "run", "--limit", "100"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "0"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert done.stderr.startswith("error: numba cannot start")
    assert "NUMBA_NUM_THREADS=0" in done.stderr


SUMS = """
import numpy as np
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, fma, load, store
@kernel
def square_and_add(x, y):
    store(y, 0, fma(load(x, 0), load(x, 0), load(x, 0)))
x, y = np.arange(LANES, dtype=np.float32), np.empty(LANES, np.float32)
square_and_add(x, y)
code = "".join(square_and_add.inspect_llvm().values())
print(LANES, np.array_equal(y, x * x + x), "llvm.fma" in code)
"""


@pytest.mark.skipif(UNCOMPILED, reason="no processor is compiled for")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are its features")
@pytest.mark.parametrize(("features", "fused"), [("+avx2,+fma", True), ("+sse4.2", False)])
def test_vectors_and_sums_are_those_of_the_processor_that_numba_compiles_for(features, fused):
    named = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": features}
    assert run(SUMS, **named) == f"8 True {fused}"


TOGETHER = """
import os, threading
import numpy as np
from tinycnn.nn import build, set_threads
set_threads(2)
models, images = [build("tiny"), build("tiny")], np.zeros((40, 28, 28), np.uint8)
expected = models[0].predict_proba(images)
answers = []
def ask(model):
    for _ in range(10):
        answers.append(model.predict_proba(images))
threads = [threading.Thread(target=ask, args=(model,)) for model in models]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(answers), all(np.array_equal(answer, expected) for answer in answers), sep="|", end="|")
parent, child = os.pipe()
if os.fork() == 0:
    same = np.array_equal(models[0].predict_proba(images), expected)
    os.write(child, f"{same}, {threading.active_count()} threads".encode())
    os._exit(0)
os.wait()
print(os.read(parent, 999).decode())
"""


def test_two_threads_may_ask_at_once_and_a_forked_process_gets_helpers_of_its_own():
    kept = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME", "")
    said = run(TOGETHER, NUMBA_NUM_THREADS=2, NUMBA_CACHE_DIR=kept)
    assert said == "20|True|True, 2 threads"


@pytest.mark.skipif(UNCOMPILED, reason="there are no helpers")
def test_a_helper_that_is_about_to_sleep_when_python_ends_is_woken_again(monkeypatch):
    gate = Event()
    helper = Thread(target=gate.wait, daemon=True)
    helper.start()
    gate.set = lambda: setattr(gate, "set", Event.set.__get__(gate))  # the first time, too early
    monkeypatch.setattr(threads, "_team", {"helpers": [(helper, gate)]})
    end = Thread(target=threads._dismiss, daemon=True)
    end.start()
    end.join(60)
    assert not helper.is_alive()
    assert not end.is_alive()


@pytest.mark.skipif(UNCOMPILED, reason="there are no helpers")
def test_a_loop_wakes_no_more_helpers_than_it_has_pieces(monkeypatch):
    gates = [Event() for _ in range(3)]
    monkeypatch.setattr(threads, "_team", {"helpers": [(None, gate) for gate in gates]})
    threads._wake(2)
    assert [gate.is_set() for gate in gates] == [True, False, False]


@pytest.mark.skipif(CHECKED or UNCOMPILED, reason="there are no jobs")
def test_a_thread_takes_its_own_share_of_the_pieces_first_and_then_what_is_left_of_others():
    @threads.parallel_over
    def note(piece, read, written):
        (seen,) = written
        seen[0] += 1
        seen[seen[0]] = piece

    board, job, seen = (np.zeros(n, np.int64) for n in (99, jobs.WORDS, 13))
    note.write(job, 12, (), (seen,))
    board[jobs.DATA], board[jobs.SHARES] = job.ctypes.data, 3
    for share, first in enumerate((2, 4, 8)):  # two of the first are taken
        board[jobs.NEXT + share * jobs.LINE :][:2] = first, 4 * share + 4
    jit.kernel(lambda board, share: jobs.take_part(board, share))(board, 2)
    assert seen.tolist() == [10, 8, 9, 10, 11, 2, 3, 4, 5, 6, 7, 0, 0]


@pytest.mark.skipif(UNCOMPILED, reason="plain Python may call everything")
def test_python_is_told_that_it_cannot_call_a_part_of_kernels():
    with pytest.raises(TypeError, match="axpy_rows is a part of kernels"):
        microkernels.axpy_rows(np.zeros(8, np.float32))


@pytest.mark.skipif(UNCOMPILED or not threads.LINUX, reason="there are no helpers, or no cores")
def test_a_helper_on_the_core_of_the_caller_takes_nothing_and_moves_to_another(monkeypatch):
    cores, moves = os.sched_getaffinity(0), []
    core = min(cores)
    board = np.zeros_like(threads._BOARD)
    board[threads.JOB], board[threads.TEAM], board[threads.CORE] = 1, 2, core
    os.sched_setaffinity(0, {core})
    try:
        assert threads._help(board, 1) == core
    finally:
        os.sched_setaffinity(0, cores)
    assert (board[threads.NEXT], board[threads.ACTIVE]) == (0, 0)
    team = {"over": False}
    monkeypatch.setattr(threads, "_team", team)
    monkeypatch.setattr(threads, "_help", lambda *_: core)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {core, core + 1})
    monkeypatch.setattr(
        os, "sched_setaffinity", lambda _, to: moves.append(to) or team.update(over=len(moves) > 1)
    )
    threads._stay(1, Event())
    assert moves == [{core + 1}, {core, core + 1}]
