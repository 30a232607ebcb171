# SPDX-License-Identifier: Apache-2.0
"""Where the programs of a build are, and where a run may write."""
import pathlib
import shutil
import tempfile


class Place:
    """`disk` is a folder on the disk that is measured, `sockets` one with a short path."""

    def __init__(self, build, disk):
        self.build = pathlib.Path(build).resolve()
        self.disk = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=disk or self.build))
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="assay-bench-"))
        # The daemon takes drivers from one folder: the real ones and that for benchmarks.
        self.drivers = self.sockets / "drivers"
        self.drivers.mkdir()
        for module in [*self.build.glob("drivers/*.so"), *(self.build / f"tests/drivers/{name}.so" for name in ("generator", "files"))]:
            (self.drivers / module.name).symlink_to(module)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.disk, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def tool(self, name):
        return self.build / "tests/bench" / name

    def log(self, name):
        return self.sockets / f"{name}.log"
