"""`strikeout new`: a ruleset to begin with, and its case file."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ..gate.case_model import SUFFIX
from ..reach.library import shipped_names
from .terminal import fail, language_option

RULESET = """\
# {about}
#   strikeout check {name}.yaml      {check}
#   strikeout test {name}{suffix}    {test}
ruleset: "{name}"
version: 2025-01-01
title: {{zh: 新规则集, en: A new ruleset}}
subject: seller                  # {subject}
timezone: Asia/Shanghai          # {timezone}
terminal: closure                # {terminal}

facts:
  complaint_upheld:
    title: {{zh: 投诉成立, en: complaint upheld}}
    input: true                  # {input}
    fields:
      complaint: id
      complainant: id
  complaint_withdrawn:
    title: {{zh: 投诉撤回, en: complaint withdrawn}}
    input: true
    fields: {{complaint: id}}
  strike:
    title: {{zh: 计次一次, en: one counted strike}}
    fields:
      complaint: id
      complainant: id
  restriction:
    title: {{zh: 限制权限, en: account restricted for a time}}
    effect: interval             # {effect}
    severity: 20
    fields: {{until: time}}
  closure:
    title: {{zh: 关闭账户, en: account closed}}
    effect: lasting
    severity: 90
    fields: {{}}

parameters:
  merge_window:
    value: 72h
    title: {{zh: 并为一次的时限, en: complaints of one complainant within this time count once}}
  restriction_term:
    value: 7d
    title: {{zh: 限权期限, en: term of the restriction}}

rules:
  strike:
    title: {{zh: 投诉成立计次, en: an upheld complaint counts as a strike}}
    when: complaint_upheld
    if: none(strike by complainant within merge_window)
    then: strike

  ladder:
    title: {{zh: 按次数处置, en: what follows from the number of strikes}}
    when: strike
    ladder:
      of: count(strike)
      steps:
        2: {{restriction: {{until: at + restriction_term}}}}
        3: closure

  withdrawn:
    title: {{zh: 撤回后视同未投诉, en: a withdrawn complaint is as if never made}}
    when: complaint_withdrawn
    void: complaint_upheld by complaint
"""

CASES = """\
ruleset: "{name}"
cases:

  two-strikes-restrict-and-three-close:
    title: {{zh: 两次限权，三次关闭, en: the second strike restricts and the third closes}}
    subject: s1                  # {of}
    facts:
      - {{at: 2025-01-06, complaint_upheld: {{complaint: c1, complainant: A}}}}
      - {{at: 2025-01-07, complaint_upheld: {{complaint: c2, complainant: B}}}}
      - {{at: 2025-01-08, complaint_upheld: {{complaint: c3, complainant: C}}}}
    expect:
      - as_of: 2025-01-07T12:00
        facts: [{{at: 2025-01-07, restriction: {{until: 2025-01-14}}}}]
        status: restriction
      - facts: [{{at: 2025-01-08, closure: {{}}}}]
        count: {{strike: 3}}
        status: closure

  complaints-of-one-complainant-within-72-hours-count-once:
    title: {{zh: 同一投诉方七十二小时内算一次, en: "within 72 hours one strike, at 72 hours a second"}}
    subject: s1
    facts:
      - {{at: 2025-01-06T09:00, complaint_upheld: {{complaint: c1, complainant: A}}}}
      - {{at: 2025-01-09T08:59, complaint_upheld: {{complaint: c2, complainant: A}}}}
      - {{at: 2025-01-09T09:00, complaint_upheld: {{complaint: c3, complainant: A}}}}
    expect:
      facts:
        - {{at: 2025-01-06T09:00, strike: {{complaint: c1}}}}
        - {{at: 2025-01-09T09:00, strike: {{complaint: c3}}}}
      only: [strike]             # {only}

  a-withdrawn-complaint-no-longer-counts:
    title: {{zh: 撤回的投诉不再计次, en: a withdrawn complaint no longer counts}}
    subject: s1
    facts:
      - {{at: 2025-01-06, complaint_upheld: {{complaint: c1, complainant: A}}}}
      - {{at: 2025-02-01, complaint_withdrawn: {{complaint: c1}}}}
    expect:
      absent: [strike, restriction]
      status: good-standing
"""

WORDS = {
    "en": {
        "about": "A start: change what follows into your policy, and the cases beside it into what it must do.",
        "check": "shows every problem, with its place",
        "test": "runs the cases",
        "subject": "whom the rules judge; a rule sees the facts of one subject only",
        "timezone": "of the times that say no other",
        "terminal": "after this no rule fires for the subject",
        "input": "may be given from outside; the others are derived",
        "effect": "counts for the status from `at` to `until`",
        "of": "whose facts these are",
        "only": "and no other strikes",
    },
    "zh": {
        "about": "起点：把下文改成您的政策，把旁边的用例改成它应有的结果。",
        "check": "列出所有问题及其位置",
        "test": "运行用例",
        "subject": "规则所评判的对象；一条规则只看同一对象的事实",
        "timezone": "未注明时区的时间所属的时区",
        "terminal": "此后不再对该对象适用规则",
        "input": "可由外部给出；其余只能推出",
        "effect": "自 at 至 until 计入账户状态",
        "of": "下列事实所属的对象",
        "only": "此外没有其他计次",
    },
}


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        fail(f"`{path}` is there already; nothing was written to it")
    except OSError as error:
        fail(f"cannot write `{path}`: {(error.strerror or 'it failed').lower()}")


@click.command("new")
@click.argument("name", metavar="NAME")
@language_option
def new_command(name: str, language: str) -> None:
    """Write NAME.yaml and NAME.cases.yaml, a ruleset to begin with that checks clean and passes its cases."""
    if not re.fullmatch(r"\w[\w-]{0,79}", name):
        fail(f"`{name[:80]}` is no bare name: letters, digits, `-` and `_`, at most 80, and no path")
    if name in shipped_names():
        fail(f"`{name}` is the name of a shipped ruleset; choose another")
    paths = Path(f"{name}.yaml"), Path(f"{name}{SUFFIX}")
    for path in paths:
        if path.exists():
            fail(f"`{path}` is there already; nothing was written")
    for path, text in zip(paths, (RULESET, CASES), strict=True):
        write_new(path, text.format(name=name, suffix=SUFFIX, **WORDS[language]))
        click.echo(str(path))
