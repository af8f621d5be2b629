"""What ships: every ruleset checks without a word, is titled in both languages, and does what its cases say."""

from __future__ import annotations

import functools

import pytest

from strikeout.api import Ruleset
from strikeout.documents.markdown import markdown
from strikeout.documents.policy import policy_document
from strikeout.gate.case_files import read_cases
from strikeout.gate.case_model import CaseFile
from strikeout.gate.check import check
from strikeout.ground.problems import render
from strikeout.machine import durable
from strikeout.model import Ruleset as Model
from strikeout.reach.library import Files, locate, shipped_cases, shipped_names
from strikeout.speech.cases import run_case

NAMES = shipped_names()
ENGINES = ("rete", "compiled")
each_ruleset = pytest.mark.parametrize("name", NAMES)


@functools.cache
def model_of(name: str) -> Model:
    return check(locate(name), Files())


@functools.cache
def cases_of(name: str) -> CaseFile:
    source = shipped_cases(name)
    assert source is not None, f"{name} ships without cases"
    return read_cases(source, Files())


@each_ruleset
def test_it_checks_without_a_warning(name: str) -> None:
    model = model_of(name)
    assert not model.warnings, render(model.warnings)
    assert model.name == name
    assert model.version


@each_ruleset
def test_titles_are_in_both_languages(name: str) -> None:
    model = model_of(name)
    rules = (*model.rules, *model.void_rules)
    titled = [("", model.title), *((rule.name, rule.title) for rule in rules)]
    titled += [(parameter.name, parameter.title) for parameter in model.parameters]
    titled += [(kind.name, kind.title) for kind in model.kinds]
    assert [what for what, title in titled if {language for language, _ in title} != {"zh", "en"}] == []
    notes = [(rule.name, rule.note) for rule in rules if rule.note]
    assert [what for what, note in notes if {language for language, _ in note} != {"zh", "en"}] == []


@each_ruleset
def test_its_cases_are_its_own_and_titled(name: str) -> None:
    found = cases_of(name)
    assert found.ruleset.name == name
    assert [case.name for case in found.cases if {language for language, _ in case.title} != {"zh", "en"}] == []


@pytest.mark.parametrize("engine", ENGINES)
@each_ruleset
def test_its_cases_pass(name: str, engine: str) -> None:
    if engine == "rete" and not durable.available():
        pytest.skip("durable_rules is not installed")
    found = cases_of(name)
    rulesets: dict[int, Ruleset] = {}
    wrong = []
    for case in found.cases:
        ruleset = rulesets.setdefault(id(case.ruleset), Ruleset(case.ruleset, found.source, Files(), {}))
        for failure in run_case(case, ruleset.program(engine)):
            wrong += [f"{case.name}:", *failure.lines()]
    assert not wrong, "\n".join(wrong)


@each_ruleset
def test_every_rule_is_in_its_document(name: str) -> None:
    model = model_of(name)
    for language in ("zh", "en"):
        lines = markdown(policy_document(model, language)).splitlines()
        headed = {line.split("`")[-2] for line in lines if line.startswith("### ")}
        assert headed == {rule.name for rule in (*model.rules, *model.void_rules)}
