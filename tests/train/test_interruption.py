"""Ctrl-C and SIGTERM while kernels are compiled: none is lost, and none leaves half a function."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from numba.core import event

from tinycnn.kernels.jit import UNCOMPILED, kernel
from tinycnn.signals import StopSignals, signals_wait

SIGINT, SIGTERM = signal.SIGINT, signal.SIGTERM


@pytest.fixture
def heard():
    """The signals that handlers were told; they raise KeyboardInterrupt."""
    told = []

    def handler(number, frame):
        told.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, handler) for number in (SIGINT, SIGTERM)}
    yield told
    assert {signal.getsignal(number) for number in before} == {handler}, "they are back"
    for number, earlier in before.items():
        signal.signal(number, earlier)


def kill(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("error", [None, ValueError("no code")])
def test_a_signal_waits_for_the_end_of_a_function_and_of_those_compiled_for_it(heard, error):
    steps = []

    def compiled():
        with signals_wait():
            with signals_wait():
                kill(SIGTERM)
            steps.append(list(heard))
            if error:
                raise error

    with pytest.raises(KeyboardInterrupt):
        compiled()
    assert (steps, heard) == ([[]], [SIGTERM])
    with signals_wait():
        pass


def test_the_first_signal_is_recorded_and_a_second_one_ends_the_process_at_once():
    program = (
        "import os; from tinycnn.signals import StopSignals\n"
        "with StopSignals() as signals:\n"
        "    signals.defer()\n"
        "    for _ in range(3): os.kill(os.getpid(), 15); print(signals.received, flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (143, "15\n", "")


def test_a_signal_whose_exception_was_lost_is_raised_when_signals_are_deferred():
    with StopSignals() as signals:
        with contextlib.suppress(SystemExit):  # as LLVM does, which calls Python back
            kill(SIGTERM)
        with pytest.raises(SystemExit, match="143"):
            signals.defer()


@pytest.mark.skipif(UNCOMPILED, reason="nothing is compiled")
def test_a_function_whose_compilation_was_interrupted_can_be_called(heard, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # empty: the function has to be compiled

    @kernel
    def double(x):
        return 2 * x

    class Interrupt(event.Listener):
        def on_start(self, event):
            kill(SIGINT)

        def on_end(self, event): ...

    with pytest.raises(KeyboardInterrupt), event.install_listener("numba:compile", Interrupt()):
        double(21)
    assert double(21) == 42
