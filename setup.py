"""Puts the digits and the sketchpad into the wheel; setup.cfg says everything else.

In a clone they are in ``data/`` and ``apps/sketchpad/``. In a wheel they are inside the package,
as ``tinycnn.data.bundled`` and ``tinycnn.sketchpad``, because the names ``data`` and ``apps``
belong to no package. ``package_dir`` could say the same, but then an editable install no longer
puts the clone on the path: it installs an import hook, which Python asks last, and a script beside
the clone takes the clone's own folder for the package.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ELSEWHERE = {
    "tinycnn.data.bundled": "data",
    "tinycnn.sketchpad": "apps/sketchpad",
    "tinycnn.sketchpad.tabs": "apps/sketchpad/tabs",
}


class BuildWheel(build_py):
    """An editable install does not ask for these folders: they are where Python looks anyway."""

    def finalize_options(self):
        super().finalize_options()
        self.packages = [*self.packages, *ELSEWHERE]
        self.package_dir = {**self.package_dir, **ELSEWHERE}

    def run(self):
        super().run()
        for file in Path(self.build_lib).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("apps.sketchpad", "tinycnn.sketchpad"), encoding="utf-8")


setup(cmdclass={"build_py": BuildWheel})
