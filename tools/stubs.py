"""Write typings/: a line per module, for type checkers: `strikeout.x` is what stands in `engine/x.py`.

The folders install under another name than they have in the repository. An installed package needs no help
with that; mypy and editors, which read the repository, do. A test of the house fails where this was not run.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"engine": "strikeout", "graphs": "strikeout.graphs", "rulesets": "strikeout.rulesets"}


def stubs() -> dict[Path, str]:
    """Give what typings/ should hold: path from the root of the repository, and text."""
    wanted = {}
    for folder, package in FOLDERS.items():
        for source in sorted((ROOT / folder).rglob("*.py")):
            module = source.relative_to(ROOT).with_suffix("")
            below = module.relative_to(folder)
            stub = Path("typings", *package.split("."), below).with_suffix(".pyi")
            name = ".".join(module.parent.parts if module.name == "__init__" else module.parts)
            wanted[stub] = f"from {name} import *\n"
    return wanted


def present() -> dict[Path, str]:
    """Give what typings/ holds now."""
    found = sorted((ROOT / "typings").rglob("*.pyi"))
    return {stub.relative_to(ROOT): stub.read_text(encoding="utf-8") for stub in found}


def main() -> None:
    wanted = stubs()
    for stub in present().keys() - wanted.keys():
        (ROOT / stub).unlink()
    for stub, text in wanted.items():
        (ROOT / stub).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / stub).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
