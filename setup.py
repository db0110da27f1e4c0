"""The compiled modules; all else about the package is in setup.cfg and pyproject.toml.

With SHRINKLIN_CHECKED=1 in the environment, indices are checked in the compiled loops.
"""

import os

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, PlatformError

COMPILED = ["shrinklin.kernels", "shrinklin.proximal"]
CHECKED = os.environ.get("SHRINKLIN_CHECKED") == "1"
REMEDY = (
    "shrinklin is built from source here, which takes a C compiler. Install one (Debian and "
    "Ubuntu: apt-get install gcc libc6-dev python3-dev; macOS: xcode-select --install; Windows: "
    "the Build Tools for Visual Studio), or install a wheel, which needs none."
)


class Build(build_ext):
    """Says what to install where there is no compiler."""

    def build_extension(self, ext):
        try:
            super().build_extension(ext)
        except (CompileError, PlatformError) as error:
            raise SystemExit(f"{error}\n\n{REMEDY}") from error


def extensions():
    return [Extension(name, [name.replace(".", "/") + ".pyx"]) for name in COMPILED]


setup(
    ext_modules=cythonize(
        extensions(),
        build_dir="build",
        compiler_directives={"boundscheck": CHECKED, "wraparound": False},
    ),
    cmdclass={"build_ext": Build},
)
