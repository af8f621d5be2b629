"""What is installed: the wheel holds every file of the three folders and works far from the repository.

The wheel is built by way of the source distribution, from a copy of the files, and installed into an
environment of its own. That one sees the libraries of this one but not its `strikeout`: an editable install
would fill in what the wheel lacks.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"engine": "strikeout", "graphs": "strikeout/graphs", "rulesets": "strikeout/rulesets"}
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"PYTHONUTF8": "1"}


def call(*command: str | Path, cwd: Path) -> str:
    """Run a command, give what it wrote to stdout, and fail with all it wrote where it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command} gave {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    made = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", made, cwd=copy)
    assert len(list(made.glob("strikeout-*.tar.gz"))) == 1
    (found,) = made.glob("strikeout-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the commands of an environment in which the wheel is installed."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, with_pip=False, symlinks=os.name != "nt")
    commands = place / ("Scripts" if os.name == "nt" else "bin")
    where = "import site; print(site.getsitepackages()[0])"
    site = Path(call(commands / "python", "-c", where, cwd=place).strip())
    # A folder named in a .pth file is searched, but not its own .pth files, an editable install's say.
    libraries = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n", encoding="utf-8")
    call(
        sys.executable, "-m", "pip", "--python", commands / "python", "--disable-pip-version-check",
        "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=place,
    )  # fmt: skip
    return commands


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.startswith("strikeout-0")}
    there = {
        f"{package}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, package in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sorted(there - held) == [], "not in the wheel: see `packages` and `package_data` in setup.cfg"
    assert sorted(held - there) == []


def test_the_installed_package_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    script = "import strikeout, strikeout.graphs, strikeout.rulesets; print(strikeout.__file__)"
    assert Path(call(installed / "python", "-c", script, cwd=tmp_path).strip()).is_relative_to(installed.parent)


@pytest.mark.parametrize("command", [("python", "-m", "strikeout"), ("strikeout",)], ids=["module", "command"])
def test_a_shipped_ruleset_runs_from_elsewhere(installed: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    shutil.copy(ROOT / "docs" / "example.csv", tmp_path)
    ruleset = ("run", "taobao-counterfeit", "example.csv", "--format", "jsonl")
    lines = call(installed / command[0], *command[1:], *ruleset, cwd=tmp_path).splitlines()
    closed = [fact["seller"] for fact in map(json.loads, lines) if fact["kind"] == "closure"]
    assert closed == ["xiaoming"]
