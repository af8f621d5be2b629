"""The house: which room stands on which floor, and that listing, package and stubs agree with the folders.

An import goes down or sideways, never up: whoever changes a room knows then which rooms cannot have noticed.
"""

from __future__ import annotations

import ast
import configparser
import doctest
import importlib
import re
import runpy
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"engine": "strikeout", "graphs": "strikeout.graphs", "rulesets": "strikeout.rulesets"}

# Ground first. A name is that of a module, or of a subpackage and all in it; `door` is `strikeout` itself.
FLOORS = (
    ("ground", ("ground", "graphs", "rulesets")),
    ("words", ("facts", "functions")),
    ("model", ("model", "order", "rows")),
    ("gate", ("gate",)),
    ("machine", ("machine",)),
    ("speech", ("speech", "why", "ahead", "comparison", "pictures", "documents")),
    ("reach", ("reach", "bulk", "backtests", "log")),
    ("door", ("door", "api", "client", "service", "interface", "notebook", "cli", "commands", "__main__")),
)
FLOOR_OF = {room: number for number, (_, rooms) in enumerate(FLOORS) for room in rooms}
NAMES = tuple(name for name, _ in FLOORS)

# Libraries that not every machine has: a module that needs one is left to the machines that have it.
OPTIONAL = {
    "durable",
    "durable_rules_engine",
    "duckdb",
    "numba",
    "numpy",
    "pandas",
    "psycopg",
    "pyarrow",
    "starlette",
    "uvicorn",
}

# The clock, chance, the environment and the disk: no room below `reach` has them.
OUTSIDE = {
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "time",
    "uuid",
}
OUTSIDE_CALLS = {"breakpoint", "input", "open", "print"}
SYS = {"version_info"}  # all that these rooms may ask of `sys`
CLOCKS = {"now", "today", "utcnow"}


def modules() -> dict[str, Path]:
    """Give every module of the product by the name it is imported by."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join((package, *parts))] = path
    return found


MODULES = modules()


def room(module: str) -> str:
    """Give the name under which `FLOORS` has the module."""
    below = module.split(".")[1:]
    return below[0] if below else "door"


def imports(module: str, path: Path) -> Iterator[tuple[int, str]]:
    """Give the modules of the product that a module imports, wherever in the file, each with its line."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join(parents[: len(parents) - node.level + 1] + ([base] if base else []))
            named = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in named:
            target = name
            while target and target not in MODULES:
                target = target.rpartition(".")[0]
            if target and target != module:
                yield node.lineno, target


def test_every_module_has_its_floor() -> None:
    missing = sorted({room(module) for module in MODULES} - FLOOR_OF.keys())
    assert not missing, f"say in FLOORS on which floor these stand: {missing}"


def test_every_room_is_there() -> None:
    gone = sorted(FLOOR_OF.keys() - {room(module) for module in MODULES})
    assert not gone, f"FLOORS has rooms that are no modules: {gone}"


@pytest.mark.parametrize("module", MODULES)
def test_no_import_runs_upward(module: str) -> None:
    own = FLOOR_OF[room(module)]
    upward = [
        f"{MODULES[module].relative_to(ROOT)}:{line}: {NAMES[own]} imports {target} of {NAMES[above]}"
        for line, target in imports(module, MODULES[module])
        if (above := FLOOR_OF[room(target)]) > own
    ]
    assert not upward, "\n".join(upward)


def test_imports_form_no_circle() -> None:
    graph = {module: {target for _, target in imports(module, path)} for module, path in MODULES.items()}
    list(TopologicalSorter(graph).static_order())


def test_gate_and_machine_never_meet() -> None:
    pair = {NAMES.index("gate"), NAMES.index("machine")}
    met = [
        f"{module} imports {target}"
        for module, path in MODULES.items()
        for _, target in imports(module, path)
        if {FLOOR_OF[room(module)], FLOOR_OF[room(target)]} == pair
    ]
    assert not met, "\n".join(met)


def test_the_graph_view_knows_nothing_of_the_engine() -> None:
    known = [
        f"{module} imports {target}"
        for module, path in MODULES.items()
        if room(module) == "graphs"
        for _, target in imports(module, path)
        if room(target) != "graphs"
    ]
    assert not known, "\n".join(known)


@pytest.mark.parametrize("module", [m for m in MODULES if FLOOR_OF.get(room(m), 0) < NAMES.index("reach")])
def test_no_clock_no_environment_no_disk_below_reach(module: str) -> None:
    found = []
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        used = ""
        if isinstance(node, ast.Import):
            used = next((a.name for a in node.names if a.name.split(".")[0] in OUTSIDE), "")
        elif isinstance(node, ast.ImportFrom) and not node.level:
            used = node.module if node.module and node.module.split(".")[0] in OUTSIDE else ""
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            used = node.func.id if node.func.id in OUTSIDE_CALLS else ""
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            used = node.func.attr if node.func.attr in CLOCKS else ""
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            used = "" if node.attr in SYS else f"sys.{node.attr}"
        if used:
            found.append(f"{MODULES[module].relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {used}")
    assert not found, "\n".join(found)


def test_the_folders_are_imported_by_their_true_names_only() -> None:
    wrong = re.compile(r"\bimport (engine|graphs|rulesets)\b|\bfrom (engine|graphs|rulesets)[\w.]* import\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in sorted(path for path in ROOT.iterdir() if path.is_dir() and path.name in kept_folders())
        if folder.name != "typings"
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".py", ".md", ".ipynb"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if wrong.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", [name for name in MODULES if not name.endswith("__main__")])
def test_examples_in_docstrings_run(module: str) -> None:
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in OPTIONAL:
            raise
        pytest.skip(f"{error.name} is not installed")
    assert doctest.testmod(imported, optionflags=doctest.ELLIPSIS).failed == 0


def setup() -> configparser.ConfigParser:
    """Read setup.cfg."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_every_package_is_listed() -> None:
    there = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    bare = [
        str(path.parent.relative_to(ROOT)) for path in MODULES.values() if not (path.parent / "__init__.py").exists()
    ]
    assert not bare, f"folders with modules and no __init__.py: {bare}"
    assert set(setup()["options"]["packages"].split()) == there


def test_every_folder_of_python_is_type_checked() -> None:
    checked = {name.strip() for name in setup()["mypy"]["files"].split(",")}
    there = {name for name in kept_folders() if any((ROOT / name).rglob("*.py"))} - {"notebooks"}
    assert checked == there


def test_every_module_has_its_stub() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "stubs.py"))
    assert tool["present"]() == tool["stubs"](), "run `make stubs`"


def kept_folders() -> set[str]:
    """Give the folders of the repository that hold something of ours."""
    made = {"build", "dist", "htmlcov"}
    return {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir()
        and not path.name.startswith(".")
        and not path.name.endswith(".egg-info")
        and path.name not in made
        and not (path / "pyvenv.cfg").exists()
        and any(file.is_file() and "__pycache__" not in file.parts for file in path.rglob("*"))
    }


def listing() -> set[str]:
    """Give the paths that the README lists: a folder or a file a line, what is in it indented below."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## The folders\n.*?^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert block, "the README has a section `The folders` with a fenced listing"
    found = set()
    above: list[str] = []
    for line in block.group(1).splitlines():
        indent, name = re.match(r"( *)(\S+)", line).groups()  # type: ignore[union-attr]
        above = [*above[: len(indent) // 2], name.rstrip("/")]
        found.add("/".join(above))
    return found


def test_the_listing_is_the_folders() -> None:
    wanted = kept_folders()
    for folder in ("engine", "graphs"):
        for path in (ROOT / folder).rglob("*.py"):
            below = path.relative_to(ROOT)
            wanted |= {str(below), *(str(parent) for parent in below.parents if parent.name)}
    listed = listing()
    assert sorted(wanted - listed) == [], "not listed in the README"
    assert [path for path in sorted(listed) if not (ROOT / path).exists()] == [], "listed in the README, not there"
