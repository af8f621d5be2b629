"""Generated modules on disk, so that numba compiles each of them once: the cache of the extra `fast`."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType

_LOCK = threading.Lock()


def cache_folder() -> Path:
    """Where a user's compiled rulesets are kept, unless told: `strikeout` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "strikeout"


def load_kernel(source: str, version: str, folder: Path | None = None) -> ModuleType:
    """The module of a generated source, compiled by numba when it is first called, or loaded as compiled before.

    Parameters
    ----------
    source : str
        The source, as `CompiledProgram.kernel` gives it.
    version : str
        The version of strikeout; another one compiles anew.
    folder : Path, optional
        The cache; `cache_folder()` unless given. Where nothing can be written, nothing is kept.
    """
    digest = hashlib.sha256(f"{version}\0{source}".encode()).hexdigest()[:32]
    name = f"strikeout_kernel_{digest}"
    with _LOCK:
        found = sys.modules.get(name)
        if found is not None:
            return found
        path = _written(source, (folder or cache_folder()) / f"{name}.py")
        if path is None:
            module = ModuleType(name)
            exec(compile(source.replace(", cache=True", ""), f"<{name}>", "exec"), module.__dict__)
        else:
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None or spec.loader is None:
                raise ImportError(f"cannot load {path}")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[name]
                raise
        sys.modules[name] = module
        return module


def _written(source: str, path: Path) -> Path | None:
    """The file with the source, written whole or not at all; None where that cannot be."""
    try:
        if path.is_file() and path.read_text(encoding="utf-8") == source:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".tmp", delete=False) as file:
            file.write(source)
        os.replace(file.name, path)
    except OSError:
        return None
    return path
