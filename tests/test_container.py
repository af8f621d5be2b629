"""Dockerfile and compose.yaml, held without Docker: read, and their steps run in folders of this machine.

The steps that build and install run as they stand, with the folders of the image moved below one of the test's own;
pip takes nothing from the network there, and the libraries of this environment stand in for those of the image.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

from strikeout.cli import commands

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(sys.platform == "win32", reason="the steps are for a shell of POSIX")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


@dataclass
class Stage:
    """A stage of a Dockerfile: what it is made from, its name, and its instructions in order."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [text for word, text in self.steps if word == instruction]

    def last(self, instruction: str) -> str:
        return self.all(instruction)[-1]


def stages() -> list[Stage]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    found: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        else:
            found[-1].steps.append((word, " ".join(rest.split())))
    return found


STAGES = stages()
FINAL = STAGES[-1]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path of the repository out of the build: the last line that fits says so."""
    out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            keeps, pattern = pattern.startswith("!"), pattern.removeprefix("!")
            parts = Path(path).parts
            above = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
            names = parts if pattern.startswith("**/") else above
            if any(fnmatch(name, pattern.removeprefix("**/")) for name in names):
                out = not keeps
    return out


def test_every_base_is_pinned_by_a_tag() -> None:
    assert len(STAGES) == 2
    images = [stage.base for stage in STAGES] + [s["image"] for s in COMPOSE["services"].values() if "build" not in s]
    for image in images:
        assert re.fullmatch(r"[a-z/]+:\d[\w.-]*", image), image


def test_the_image_runs_as_nobody_of_importance() -> None:
    user, _, group = FINAL.last("USER").partition(":")
    assert user.isdigit()
    assert group.isdigit()
    assert int(user) >= 10_000
    after = FINAL.steps[FINAL.steps.index(("USER", FINAL.last("USER"))) :]
    assert "RUN" not in dict(after)


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    copied = [word for text in STAGES[0].all("COPY") for word in text.split()[:-1]]
    for name in copied:
        assert (ROOT / name).exists(), name
        assert not ignored(name), f"{name} is in .dockerignore"
    for name in (".git/config", "tests/test_docs.py", "secrets/database-password", "a.db", "engine/__pycache__/x.pyc"):
        assert ignored(name), f"{name} is not in .dockerignore"
    assert not ignored("rulesets/vocabulary/ip-complaints.yaml")


def known(arguments: list[str]) -> None:
    """Hold that a command line is one of `strikeout`: the command is there, and takes these options."""
    command = commands.get_command(click.Context(commands), arguments[0])
    assert command is not None, arguments[0]
    command.make_context(arguments[0], arguments[1:], resilient_parsing=True)
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in arguments if word.startswith("--")} <= options


def test_only_what_is_installed_comes_into_the_image() -> None:
    # What a later layer removes stays in the image.
    assert FINAL.all("COPY") == ["--from=build /opt/strikeout /opt/strikeout"]
    assert STAGES[0].name == "build"
    assert not any("pip" in text or re.search(r"\brm\b", text) for text in FINAL.all("RUN"))


def test_what_starts_is_a_command_of_ours() -> None:
    assert json.loads(FINAL.last("ENTRYPOINT")) == ["strikeout"]
    known(json.loads(FINAL.last("CMD")))
    known(COMPOSE["services"]["service"]["command"])


def test_the_health_check_asks_where_the_service_listens() -> None:
    check = FINAL.last("HEALTHCHECK")
    command = json.loads(check[check.index("[") :])
    port = json.loads(FINAL.last("CMD"))[-1]
    assert FINAL.last("EXPOSE") == port
    assert f"http://127.0.0.1:{port}/healthz" in command[-1]
    compile(command[-1], "HEALTHCHECK", "exec")
    gone = subprocess.run([sys.executable, *command[1:-1], command[-1].replace(port, "9")], capture_output=True)
    assert gone.returncode == 1


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the build's steps, but for those that need to be root; give the root of what would be the image."""
    root = tmp_path_factory.mktemp("image")
    places = {"source": root / "source", "wheels": root / "wheels", "opt": root / "opt"}
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_"))}
    # What pip would take from the network: it builds with the tools of this environment, and leaves libraries out.
    environment |= {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1", "PYTHONUTF8": "1"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    folder = root
    for stage in STAGES:
        for word, text in stage.steps:
            if word == "WORKDIR":
                folder = Path(re.sub(r"^/", f"{root}/", text))
                folder.mkdir(parents=True, exist_ok=True)
            elif word == "COPY" and "--from" not in text:
                *names, target = text.split()
                for name in names:
                    copy(name, folder / target / ("" if target.endswith("/") else "."))
            elif word == "RUN" and "useradd" not in text:
                command = text
                for name, place in places.items():
                    command = re.sub(rf"(?<![\w.])/{name}\b", str(place), command)
                done = subprocess.run(
                    ["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True
                )
                assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return root


def copy(name: str, target: Path) -> None:
    """Copy what .dockerignore lets through."""
    for path in [ROOT / name, *(ROOT / name).rglob("*")]:
        below = path.relative_to(ROOT).as_posix()
        if path.is_file() and not ignored(below):
            place = target if target.name == Path(name).name else target / Path(name).name
            to = place / path.relative_to(ROOT / name) if path != ROOT / name else place
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)


@posix
def test_the_steps_make_a_command_that_runs(image: Path) -> None:
    place = image / "opt" / "strikeout" / "bin"
    (site,) = (image / "opt" / "strikeout" / "lib").glob("python*/site-packages")
    assert not (site / "pip").exists()
    libraries = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n", encoding="utf-8")
    assert (site / "strikeout" / "rulesets" / "taobao-counterfeit.yaml").is_file()
    for arguments in (["--help"], [json.loads(FINAL.last("CMD"))[0], "--help"]):
        done = subprocess.run([place / "strikeout", *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "Usage: strikeout" in done.stdout


def secrets_of(service: dict[str, Any]) -> set[str]:
    return set(service.get("secrets", ()))


def test_compose_names_what_is_there() -> None:
    assert set(COMPOSE) == {"name", "services", "networks", "volumes", "secrets"}
    for name, service in COMPOSE["services"].items():
        assert secrets_of(service) <= set(COMPOSE["secrets"]), name
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"]), name
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_dir(), volume
    assert {name: other for name, s in COMPOSE["services"].items() for other in s.get("depends_on", ())} == {
        "service": "database"
    }
    # The image of PostgreSQL answers at its socket already while it sets itself up.
    check = COMPOSE["services"]["database"]["healthcheck"]["test"]
    assert check[check.index("--host") + 1] == "127.0.0.1"


def test_the_database_is_where_the_commands_look() -> None:
    service = COMPOSE["services"]["service"]
    (variable,) = service["environment"]
    for name in ("serve", "key", "log"):
        command = commands.get_command(click.Context(commands), name)
        assert command is not None, name
        below = command.commands.values() if isinstance(command, click.Group) else [command]
        options = [option for one in below for option in one.params if "--db" in option.opts]
        assert options, name
        assert {option.envvar for option in options if isinstance(option, click.Option)} == {variable}
    url = urlsplit(service["environment"][variable])
    database = COMPOSE["services"]["database"]["environment"]
    assert url.hostname in COMPOSE["services"]
    assert (url.username, url.path) == (database["POSTGRES_USER"], f"/{database['POSTGRES_DB']}")


def test_the_service_has_the_time_to_stop() -> None:
    pytest.importorskip("uvicorn")
    from strikeout.service.server import GRACE

    assert FINAL.last("STOPSIGNAL") == "SIGTERM"
    assert int(COMPOSE["services"]["service"]["stop_grace_period"].removesuffix("s")) > GRACE


def test_no_password_stands_in_clear() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8") + (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert not re.search(r"://[^/\s\"]*:[^/\s\"]*@", text)
    for name, service in COMPOSE["services"].items():
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable:
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert Path(value).name in secrets_of(service)
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    ignored_by_git = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert all(f"{Path(secret['file']).parts[0]}/" in ignored_by_git for secret in COMPOSE["secrets"].values())


def test_only_this_machine_reaches_the_service_and_nobody_the_database() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert "ports" not in COMPOSE["services"]["database"]
    assert COMPOSE["services"]["database"]["networks"] == ["inside"]
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["service"]["ports"])


def test_the_service_holds_no_right_that_it_does_not_need() -> None:
    service = COMPOSE["services"]["service"]
    assert service["read_only"] is True
    user, _, group = FINAL.last("USER").partition(":")
    in_memory = dict(entry.partition(":")[::2] for entry in service["tmpfs"])
    for folder in json.loads(FINAL.last("VOLUME")):
        assert f"uid={user},gid={group}," in in_memory[folder], "a volume without a name is left behind"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@posix
def test_the_password_reaches_the_command_by_way_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "strikeout").write_text('#!/bin/sh\necho "$PGPASSWORD $*"\n', encoding="utf-8")
    (tmp_path / "strikeout").chmod(0o755)
    shell, option, script, name = COMPOSE["services"]["service"]["entrypoint"]
    script = script.replace("$$", "$").replace("/run/secrets/database-password", shlex.quote(str(tmp_path / "secret")))
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    def start() -> subprocess.CompletedProcess[str]:
        command = [shell, option, script, name, "serve", "a b"]
        return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True)

    unreadable = start()
    assert unreadable.returncode != 0
    assert unreadable.stdout == ""
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    assert start().stdout == "s3cret serve a b\n"
