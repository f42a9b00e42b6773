"""What ``pip`` makes of a clone: a wheel that works alone, and an editable install."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from test_architecture import FILES

ROOT = Path(__file__).parent.parent
BUNDLED = "tinycnn/data/bundled/mnist10k/"

pytest.importorskip("setuptools", "77", reason="nothing is downloaded to build a wheel")
pytest.importorskip("pip")


def run(*arguments, cwd):
    """Run Python elsewhere, in an environment that knows nothing of this checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, arguments)), cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip(python, *arguments, cwd):
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    pip_for = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run(*pip_for, arguments[0], *offline, *arguments[1:], cwd=cwd)


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """A folder with a clone in it, and an environment that has all but tinycnn."""
    folder = tmp_path_factory.mktemp("code")
    waste = shutil.ignore_patterns("__pycache__")
    for name in ("tinycnn", "apps", "data"):
        shutil.copytree(ROOT / name, folder / "tinycnn" / name, ignore=waste)
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "tinycnn")
    venv.create(folder / "env")
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "dependencies.pth").write_text("\n".join(here))
    return folder


@pytest.fixture(scope="module")
def wheel(code):
    pip(code / "env/bin/python", "wheel", "-w", "wheels", "./tinycnn", cwd=code)
    (path,) = (code / "wheels").glob("*.whl")
    return zipfile.ZipFile(path)


def test_a_wheel_has_all_modules_and_the_digits_in_one_package(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    modules = {
        path.relative_to(ROOT).as_posix().replace("apps/", "tinycnn/")
        for path in FILES.values()
        if path.is_relative_to(ROOT / "tinycnn") or path.is_relative_to(ROOT / "apps/sketchpad")
    }
    bundled = {name for name in names if name.startswith("tinycnn/data/bundled/")}
    assert {name for name in names - bundled if name.endswith(".py")} == modules
    digits = {f"{BUNDLED}{file.name}" for file in (ROOT / "data/mnist10k").iterdir()}
    assert len(digits) == 4
    fonts = {"tinycnn/sketchpad/fonts/DejaVuSans.ttf", "tinycnn/sketchpad/fonts/LICENSE_DEJAVU"}
    assert digits | fonts | {"tinycnn/py.typed"} <= names


def test_a_wheel_works_alone_and_its_sketchpad_knows_its_own_name(wheel, code):
    wheel.extractall(code / "unpacked")
    program = (
        "from tinycnn.data import load_dataset; from tinycnn.cli import main;"
        "import tinycnn.sketchpad.session;"
        "print(len(load_dataset().train_images)); main(['sketchpad', '--help'])"
    )
    out = run(code / "env/bin/python", "-c", program, cwd=code / "unpacked")
    assert out.startswith("8000\nusage: python -m tinycnn.sketchpad ")
    assert "apps" not in out


def test_a_script_beside_the_clone_finds_the_package_and_not_the_folder(code):
    python = code / "env/bin/python"
    pip(python, "install", "-e", "./tinycnn", cwd=code)
    (code / "mine.py").write_text(
        "import tinycnn\nfrom tinycnn.data import load_dataset\nfrom apps.sketchpad import keys\n"
        "print(len(load_dataset().train_images), tinycnn.__file__)"
    )
    out = run(python, "mine.py", cwd=code)
    assert out.split() == ["8000", str(code / "tinycnn/tinycnn/__init__.py")]
