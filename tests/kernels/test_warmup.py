"""The second process that compiles gradients and augmentation."""

import subprocess

import pytest

from tinycnn.train import precompile


@pytest.fixture
def started(monkeypatch):
    """Have the second process started even if all is compiled; a list of what was started."""
    processes, popen = [], subprocess.Popen

    def start(*args, **options):
        processes.append(popen(*args, **options))
        return processes[-1]

    monkeypatch.setattr(precompile, "_has_work", lambda: True)
    monkeypatch.setattr(subprocess, "Popen", start)
    return processes


def test_it_runs_this_package_whatever_lies_in_the_current_folder(started, tmp_path, monkeypatch):
    for name in ("numpy.py", "tinycnn.py", "subprocess.py"):
        (tmp_path / name).write_text("open('run', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    with precompile.gradients_compiled_meanwhile("mild"):
        started[0].wait()
    assert [process.returncode for process in started] == [0]
    assert not (tmp_path / "run").exists()


def test_it_does_not_outlive_an_error(started):
    with pytest.raises(KeyError), precompile.gradients_compiled_meanwhile("mild"):
        raise KeyError("stopped")
    assert [process.returncode for process in started] == [-9]
