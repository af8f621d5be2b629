"""The notebooks: a fresh run of each gives the outputs that stand in it, and no output is an error.

With STRIKEOUT_ACCEPT=1 the outputs of the fresh run are written into the notebooks.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks need the extra `dev`")
nbclient = pytest.importorskip("nbclient", reason="notebooks need the extra `dev`")
pytest.importorskip("ipykernel", reason="notebooks need the extra `notebook`")

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ACCEPT = os.environ.get("STRIKEOUT_ACCEPT") == "1"
CLOCK = re.compile(r"20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{6}")
"""An instant of the machine's clock, to the microsecond: the one thing that differs from run to run."""
SHOWN = ("text/plain", "text/html", "image/svg+xml")

# What Jupyter's own packages warn of is not ours.
pytestmark = pytest.mark.filterwarnings(
    "default::DeprecationWarning", "default::ResourceWarning", "default::FutureWarning"
)


def source(cell: Any) -> str:
    """Give the text of a cell."""
    found = cell["source"]
    return found if isinstance(found, str) else "".join(found)


def outputs(cell: Any) -> list[Any]:
    """Give what a cell shows: texts of a stream joined, other outputs by the forms of theirs that are looked at."""
    found: list[Any] = []
    for output in cell.get("outputs", ()):
        if output["output_type"] == "stream":
            text = "".join(output["text"])
            if found and found[-1][0] == output["name"]:
                found[-1] = (output["name"], found[-1][1] + text)
            else:
                found.append((output["name"], text))
        elif output["output_type"] == "error":
            found.append(("error", output["ename"], output["evalue"]))
        else:
            found.append({form: "".join(data) for form, data in output["data"].items() if form in SHOWN})
    return found


def but_for_the_clock(found: list[Any]) -> str:
    """Give outputs as text, without what the clock said when they were made."""
    return CLOCK.sub("NOW", json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True))


def ran(path: Path) -> Any:
    """Give the notebook with the outputs of a fresh run."""
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(path.parent)}}
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place, allow_errors=True)
    client.execute(env={**os.environ, "STRIKEOUT_FACTS": "", "COLUMNS": "100", "PYTHONUTF8": "1"})
    for cell in notebook.cells:
        cell.metadata.clear()
        shown: list[Any] = []
        for output in cell.get("outputs", ()):
            if shown and output.output_type == "stream" == shown[-1].output_type and output.name == shown[-1].name:
                shown[-1].text += output.text
            else:
                shown.append(output)
        if cell.cell_type == "code":
            cell.outputs = shown
    return notebook


def write(path: Path, notebook: Any) -> None:
    """Write a notebook as Jupyter does, but for what differs from machine to machine."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    path.write_text(nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_fresh_run_gives_the_outputs_that_stand_in_the_notebook(path: Path) -> None:
    before = json.loads(path.read_text(encoding="utf-8"))
    after = ran(path)
    errors = [
        found
        for cell in after.cells
        for found in outputs(cell)
        if type(found) is tuple and found[0] in ("error", "stderr")
    ]
    assert not errors
    if ACCEPT:
        write(path, after)
        return
    for old, new in zip(before["cells"], after.cells, strict=True):
        shown = but_for_the_clock(outputs(new))
        assert shown == but_for_the_clock(outputs(old)), f"{path.name}: {source(old)[:200]}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_nothing_of_the_machine_it_ran_on(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"/(?:home|root|tmp|usr|opt|work|Users|var)/[\w./-]*", text)
    assert "<script" not in text.lower()
    assert not re.findall(r"(?:src|href)=\\?[\"'](?:https?:)?//", text)
    assert len(text) < 600_000
    notebook = json.loads(text)
    assert notebook["cells"][0]["cell_type"] == "markdown"
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1)), "every cell was run, from first to last"


def test_the_notebooks_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01_three_strikes",
        "02_author_a_ruleset",
        "03_what_if_and_remedies",
        "04_backtest_a_change",
        "05_embed_in_a_service",
    ]
