"""What is installed from a wheel is the same as what runs from a clone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.docs.test_repository import ROOT, tracked_files

PACKAGES = {"gateway", "adapters", "certs"}


def test_wheel_when_built_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    """A schema, a migration or a code table that is not packed would be missing in production only."""
    source, target = tmp_path / "source", tmp_path / "wheel"
    wanted = set()
    for path in tracked_files():
        name = path.relative_to(ROOT)
        if name.parts[0] in PACKAGES | {"pyproject.toml", "README.md"}:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, source / name)
            if name.parts[0] in PACKAGES:
                wanted.add(name.as_posix())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(target), str(source)], check=True, capture_output=True)
    [wheel] = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert wanted - packed == set()
    assert packed - wanted == set()
