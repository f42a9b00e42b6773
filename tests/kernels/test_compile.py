"""Compiled kernels are kept where no other user can write, and survive whatever happens to them.

What happens when kernels are imported happens in processes of their own.
"""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import numpy as np
import pytest

from tinycnn import files
from tinycnn.kernels import jit, microkernels, threads
from tinycnn.kernels.jit import UNCOMPILED

ROOT = Path(__file__).parents[2]

PROGRAM = """
import numpy as np
from numba.core import event
from tinycnn.kernels import relu
from tinycnn.kernels.jit import cache_folder
with event.install_recorder("numba:compile") as recorder:
    y = relu(np.array([-1, 2], np.float32))
print(cache_folder(), len(recorder.buffer) > 0, y.tolist(), sep="|")
"""
Y = "[0.0, 2.0]"


def run(program=PROGRAM, cwd=ROOT, **environment):
    """What ``program`` printed, split at the bars, in this environment and no other."""
    ours = ("NUMBA_", "XDG_", "TINYCNN_")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    given = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=cwd,
        env=clean | {key: str(value) for key, value in given.items()},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip().split("|")


def files_below(folder, pattern="*"):
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder in which the kernel of ``PROGRAM`` is kept."""
    folder = tmp_path_factory.mktemp("cache")
    assert run(NUMBA_CACHE_DIR=folder)[1:] == ["True", Y]
    return folder


@pytest.fixture
def copied(filled, tmp_path):
    """The same once more, to be spoilt."""
    shutil.copytree(filled, tmp_path / "cache")
    return tmp_path / "cache"


# ----------------------------------------------------------------------------------- which folder


@pytest.fixture
def folder_for(monkeypatch):
    """The folder for the kernels of this file, in an environment with these variables only."""

    def choose(mode="parallel", **environment):
        for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        return jit.cache_folder.__wrapped__(Path(__file__), mode)

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


def test_each_version_of_the_sources_mode_processor_and_vector_has_its_folder(
    folder_for, tmp_path, monkeypatch
):
    """Where the processor's name is pinned, numba takes a wide vector's code for a narrow one's."""
    folders = [folder_for(mode, HOME=tmp_path) for mode in ("parallel", "checked")]
    monkeypatch.setattr(jit, "LANES", 2 * jit.LANES)
    folders.append(folder_for(HOME=tmp_path))
    target = SimpleNamespace(target_context=jit.cpu_target.target_context)
    other = SimpleNamespace(codegen=lambda: SimpleNamespace(magic_tuple=lambda: "another"))
    monkeypatch.setattr(target, "target_context", other)
    monkeypatch.setattr(jit, "cpu_target", target)
    folders.append(folder_for(HOME=tmp_path))
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    for text in ("a = 1", "a = 2"):
        (tmp_path / "helper.py").write_text(text)
        folders.append(folder_for(HOME=tmp_path))
    assert len({*folders}) == 6


@pytest.mark.parametrize("nowhere", ["/dev/null", "/proc/1", "/dev/null/x"])
def test_where_no_folder_can_be_there_is_none(nowhere, folder_for):
    for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        assert folder_for(**{name: nowhere}) is None


def test_without_a_home_or_a_file_nothing_is_kept(folder_for, monkeypatch):
    assert jit.cache_folder(Path("<stdin>"), "parallel") is None
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert folder_for() is None


def others_may_write(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o707)


def a_group_may_write(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o770)


def others_may_replace_it(folder):
    folder.mkdir(mode=0o700, parents=True)
    folder.parent.chmod(0o777)


def a_link_whose_owner_may_point_it_elsewhere(folder):
    (folder.parents[1] / "elsewhere").mkdir(mode=0o700)
    folder.parent.mkdir(mode=0o700)
    folder.symlink_to(folder.parents[1] / "elsewhere")


def a_file(folder):
    folder.parent.write_text("not a folder")


UNSAFE = [others_may_write, a_group_may_write, others_may_replace_it]
UNSAFE += [a_link_whose_owner_may_point_it_elsewhere, a_file]


@pytest.mark.parametrize("made", UNSAFE)
def test_a_folder_that_may_hold_what_others_wrote_is_not_used(made, tmp_path):
    folder = tmp_path / "tinycnn" / "kernels"
    made(folder)
    assert files.private_folder(folder) is None


def test_a_folder_of_another_user_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    (tmp_path / "tinycnn").mkdir()
    assert files.private_folder(tmp_path / "tinycnn" / "kernels") is None
    assert os.listdir(tmp_path / "tinycnn") == []


# -------------------------------------------------------------------------------- what is in it


def test_the_second_run_finds_what_the_first_compiled(filled):
    assert run(NUMBA_CACHE_DIR=filled)[1:] == ["False", Y]


@pytest.mark.parametrize("folder", ["/dev/null", "cache"])
def test_nothing_is_written_but_to_the_folder_and_without_one_nothing(folder, tmp_path):
    before, working = files_below(ROOT / "tinycnn"), tmp_path / "cwd"
    working.mkdir()
    kept = tmp_path / folder
    assert run(cwd=working, HOME="/dev/null", NUMBA_CACHE_DIR=kept)[1:] == ["True", Y]
    assert bool(files_below(tmp_path, "*.nbc")) == (folder == "cache")
    assert files_below(ROOT / "tinycnn") == before
    assert files_below(working) == []


DAMAGE = {
    "emptied code": lambda data: b"",
    "code cut": lambda data: data[:-1],
    "one bit flipped": lambda data: data[:-500] + bytes([data[-500] ^ 1]) + data[-499:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_compiled_again(damage, copied):
    for file in files_below(copied):
        file.write_bytes(DAMAGE[damage](file.read_bytes()))
    assert run(NUMBA_CACHE_DIR=copied)[1:] == ["True", Y]
    assert run(NUMBA_CACHE_DIR=copied)[1:] == ["False", Y]


def test_a_disk_that_is_full_costs_only_time(copied):
    for file in files_below(copied):
        file.unlink()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    assert run(limit + PROGRAM, NUMBA_CACHE_DIR=copied)[1:] == ["True", Y]


# -------------------------------------------------------------------------------- before all that

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
    assert run(IMPORTS, cwd=working, HOME=home, TMPDIR=working) == ["True"]
    assert [*home.iterdir(), *working.iterdir()] == []


LOOPS = """
from tinycnn.kernels.jit import part
from tinycnn.kernels.threads import parallel_over

@part
def _one(n, read, written):
    written[0][n] = read[0][n] + 1

@part
def _two(n, read, written):
    written[0][n] = read[0][n] * 2

one = parallel_over(_one)  # n owns written[0][n]
two = parallel_over(_two)  # n owns written[0][n]
"""

BOTH = """
import numpy as np
import loops
from numba.core import event
x, y, z = np.arange(3.0), np.zeros(3), np.zeros(3)
with event.install_recorder("numba:compile") as recorder:
    loops.one(3, (x,), (y,))
    loops.two(3, (x,), (z,))
print(len(recorder.buffer) > 0, y.tolist(), z.tolist(), sep="|")
"""


def test_loops_made_of_different_parts_are_kept_apart_and_found_again(tmp_path):
    (tmp_path / "loops.py").write_text(LOOPS)
    kept = {"PYTHONPATH": f"{ROOT}:{tmp_path}", "NUMBA_CACHE_DIR": tmp_path / "cache"}
    for compiled in ("True", "False"):
        assert run(BOTH, **kept) == [compiled, "[1.0, 2.0, 3.0]", "[0.0, 2.0, 4.0]"]


# ----------------------------------------------------------------------------- threads and forks


def test_a_setting_of_numba_that_cannot_be_is_refused_in_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tinycnn.train", "--run-dir", tmp_path / "run", "--limit", "100"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: numba cannot start")
    assert "NUMBA_NUM_THREADS=0" in line
    assert line.endswith("unset it, or choose a number from 1 on")


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_threads_may_ask_at_once_and_a_forked_process_gets_helpers_of_its_own():
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "TINYCNN_K"))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TOGETHER],
        env={**clean, "NUMBA_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "20|True|True, 2 threads"


@pytest.mark.skipif(UNCOMPILED, reason="there are no helpers")
def test_a_helper_ends_with_python_though_ctrl_c_took_the_call_that_would_wake_it(monkeypatch):
    gate = Event()
    helper = Thread(target=threads._stay, args=(1, gate), daemon=True)
    team = {"over": False, "asleep": [], "helpers": [(helper, gate)]}
    monkeypatch.setattr(threads, "_team", team)
    helper.start()
    while not team["asleep"]:
        time.sleep(0.001)
    team["asleep"].pop()
    end = Thread(target=threads._dismiss, daemon=True)
    end.start()
    end.join(60)
    assert not helper.is_alive()
    assert not end.is_alive()


# -------------------------------------------------------------------------------- code inside code


@pytest.mark.skipif(UNCOMPILED, reason="plain Python may call everything")
def test_python_is_told_that_it_cannot_call_a_part_of_kernels():
    x = np.zeros(8, np.float32)
    with pytest.raises(TypeError, match="axpy_rows is a part of kernels"):
        microkernels.axpy_rows(x)


ANOTHER_NUMBA = """
from numba.core.compiler import CompileResult
del CompileResult._reduce
"""


def test_a_numba_that_has_other_private_parts_costs_only_time(tmp_path):
    for _ in range(2):
        assert run(ANOTHER_NUMBA + PROGRAM, NUMBA_CACHE_DIR=tmp_path)[1:] == ["True", Y]
