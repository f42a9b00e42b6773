"""Several ranks train as one process does, to the bit, and end together whatever happens to one."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reliability.small_runs import make_data
from tinycnn.kernels.microkernels import halves
from tinycnn.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, SoftmaxCrossEntropy
from tinycnn.train.__main__ import main
from tinycnn.train.ranks import SingleProcess

ROOT = Path(__file__).parents[2]
PLAN = ["--epochs", "3", "--batch-size", "64", "--threads", "1", "--seed", "5"]
LONG = ["--epochs", "40", "--batch-size", "64", "--threads", "1", "--checkpoint-every", "3"]
DIVERGING = ["--epochs", "40", "--lr", "10", "--weight-decay", "1", "--schedule", "constant"]
MIXING = ["--layers", "Flatten BatchNorm Dense(3)"]
TRAIN = [sys.executable, "-m", "tinycnn.train"]

pytestmark = pytest.mark.usefixtures("one_thread")


# Shares


def share_of(count, rank, size):
    process = SingleProcess()
    process.rank, process.size = rank, size
    return process.share(count)


@given(count=st.integers(0, 2000), bits=st.integers(1, 6), data=st.data())
def test_a_share_of_two_ranks_is_what_one_of_half_as_many_has_and_one_rank_has_all(
    count, bits, data
):
    assert share_of(count, 0, 1) == slice(0, count)
    rank = data.draw(st.integers(0, 2 ** (bits - 1) - 1))
    whole = share_of(count, rank, 2 ** (bits - 1))
    low, high = (share_of(count, 2 * rank + i, 2**bits) for i in (0, 1))
    assert (low.start, low.stop, high.stop) == (whole.start, high.start, whole.stop)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("count", [17, 31, 33, 64, 100])
def test_the_gradient_of_a_batch_is_that_of_its_halves_to_the_bit(count, fused):
    rng = np.random.default_rng(count)
    layers = [Conv2D(8, 5), ReLU(), MaxPool2D(2), Conv2D(4, 3), ReLU(), MaxPool2D(2)]
    layers += [Flatten(), Dense(35), ReLU(), Dense(3)]
    model = Sequential(layers, (16, 16, 1), fused=fused)
    images = rng.random((count, 16, 16, 1), np.float32)
    labels = rng.integers(0, 3, count)

    def gradients(part):
        loss = SoftmaxCrossEntropy()
        loss.forward(model.forward(images[part], training=True), labels[part])
        model.backward(loss.backward(count))
        return [dz for layer in model for dz in layer.grads.values()]

    middle = halves(0, count)
    first, second = gradients(slice(0, middle)), gradients(slice(middle, None))
    for whole, one, other in zip(gradients(slice(None)), first, second, strict=True):
        np.testing.assert_array_equal(whole, one + other)


# Launchers


def test_a_launcher_without_mpi_is_refused(monkeypatch, refused):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.delitem(sys.modules, "tinycnn.train.mpi", raising=False)
    assert "pip install mpi4py" in refused(main, code=3)


MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    **dict.fromkeys(("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"), "1"),
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def mpi_is_missing():
    if MPIEXEC is None:
        return "there is no mpiexec"
    words = [MPIEXEC, "-n", "2", sys.executable, "-c", "from mpi4py import MPI"]
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True)
    return "mpi4py and mpiexec do not work together" if done.returncode else ""


MISSING = mpi_is_missing()
needs_mpi = pytest.mark.skipif(bool(MISSING), reason=MISSING)
IS_MPICH = not MISSING and b"HYDRA" in subprocess.check_output([MPIEXEC, "--version"])


@contextlib.contextmanager
def started(count, folder, *words, program=TRAIN):
    """A running training of ``count`` ranks; whatever is left of it at the end is killed."""
    mpiexec = [MPIEXEC, "-n", str(count)] if count else []
    command = [*mpiexec, *program, *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()
            for number in ranks_in(folder):
                os.kill(number, signal.SIGKILL)


def trained(count, folder, *words, **how):
    """The exit code of a training in ``folder`` with ``count`` ranks, or 0, and what it says."""
    with started(count, folder, *words, **how) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def ranks_in(folder):
    """The processes of trainings whose current folder is ``folder``."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_training = b"tinycnn.train\0" in (place / "cmdline").read_bytes()
            by_python = b"python" in os.path.basename(os.readlink(place / "exe")).encode()
            if is_training and by_python and (place / "cwd").resolve() == folder.resolve():
                found.append(int(place.name))
    return sorted(found)


def wait_until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def wait_until_it_trains(folder):
    metrics = folder / "run" / "metrics.jsonl"
    wait_until(lambda: metrics.exists() and metrics.read_text().count("\n") > 1)


def digest(folder):
    return hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The digest of the long run of one process."""
    place = tmp_path_factory.mktemp("alone")
    make_data(place / "easy", 100, 40, 16)
    assert trained(0, place, "--data-dir", "easy", *LONG, "--run-dir", "run")[0] == 0
    return digest(place / "run")


# Bytes


@needs_mpi
def test_one_two_and_four_ranks_end_with_the_bytes_of_one_process(easy_folder, place):
    words = ["--data-dir", easy_folder, *PLAN, "--run-dir"]
    assert trained(0, place, *words, "run0")[0] == 0
    for count in (1, 2, 4):
        code, out, err = trained(count, place, *words, f"run{count}")
        assert code == 0, err
        assert err.count("\nepoch ") == 3, "progress is printed once, one line per epoch"
        assert out.count("right") == 1
    assert len({digest(place / f"run{count}") for count in (0, 1, 2, 4)}) == 1
    assert not ranks_in(place)


# Ends


@needs_mpi
def test_a_killed_rank_ends_the_others_and_any_number_of_ranks_goes_on(easy_folder, place, whole):
    words = ["--data-dir", easy_folder, *LONG, "--run-dir", "run"]
    with started(2, place, *words) as process:
        wait_until_it_trains(place)
        os.kill(ranks_in(place)[-1], signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode != 0
        wait_until(lambda: not ranks_in(place))

    code, _, err = trained(4, place, "--resume", "run", "--threads", "1", "--quiet")
    assert code == 0, err
    assert digest(place / "run") == whole


@needs_mpi
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_is_saved_and_goes_on_to_the_same_bytes(easy_folder, place, whole, number):
    with started(2, place, "--data-dir", easy_folder, *LONG, "--run-dir", "run") as process:
        wait_until_it_trains(place)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert "Traceback" not in said
        if IS_MPICH:  # Open MPI listens no more, and ends with a code of its own
            assert process.returncode == 128 + number
            assert said.count("everything is saved. To resume:") == 1
        wait_until(lambda: not ranks_in(place))

    assert trained(1, place, "--resume", "run", "--quiet")[0] == 0
    assert digest(place / "run") == whole


@needs_mpi
@pytest.mark.parametrize(
    ("count", "words", "code", "sentence"),
    [
        (2, ["--run-dir", "file/run"], 3, "file/run cannot be used: Not a directory"),
        (2, ["--lr", "-1"], 2, "--lr must be a number above 0"),
        (2, ["--epochs", "ten"], 2, "argument --epochs: invalid int value"),
        (2, ["--resume", "nowhere"], 2, "there is no run to resume in nowhere"),
        (2, DIVERGING, 2, "training diverged in epoch"),
        (2, MIXING, 2, "--preset Flatten BatchNorm Dense(3) has BatchNorm, which look at whole"),
        (3, [], 2, "3 ranks cannot share batches"),
    ],
)
def test_an_error_is_printed_once_and_all_ranks_end_with_its_code(
    easy_folder, place, count, words, code, sentence
):
    (place / "file").write_text("in the way")
    ended, _, err = trained(count, place, "--data-dir", easy_folder, *PLAN, *words)

    assert ended == code
    assert err.count(f"error: {sentence}") == err.count("error: ") == 1
    assert "Traceback" not in err
    assert not ranks_in(place)


@needs_mpi
def test_when_rank_0_cannot_save_all_end_with_its_sentence(easy_folder, place):
    code = (
        "import sys; from tinycnn.cli import run_command\n"
        "from tinycnn.train import __main__ as train\n"
        "from tinycnn.errors import EnvironmentFault; from tinycnn.train.folder import RunFolder\n"
        "write, written = RunFolder.write_checkpoint, []\n"
        "def until_full(self, payload):\n"
        "    written.append(payload)\n"
        "    if len(written) > 4: raise EnvironmentFault('cannot save: the disk is full')\n"
        "    write(self, payload)\n"
        "RunFolder.write_checkpoint = until_full\n"
        "sys.exit(run_command(train.main))"
    )
    words = ["--data-dir", easy_folder, *LONG, "--run-dir", "run"]
    ended, _, err = trained(2, place, *words, program=[sys.executable, "-c", code])
    assert ended == 3
    assert err.count("error: cannot save: the disk is full") == 1
    assert "Traceback" not in err
    assert trained(1, place, "--resume", "run", "--quiet")[0] == 0
