"""Rulesets made to break whoever reads them, and a run of them under limits of time and memory.

`python tests/hostile.py DIRECTORY` tries them one by one, each in a process of its own, and prints for each a line of
JSON: its name, what came of it, the seconds of CPU that reading it took, the megabytes beyond those of a process
that does nothing, and how many times slower the machine was than it should be.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import strikeout
from strikeout.ground.problems import RulesetError

HEAD = """ruleset: hostile
subject: seller
timezone: UTC
facts:
  k: {input: true, fields: {b: boolean, n: integer, t: text}}
  r: {fields: {}}
  p: {fields: {n: integer}}
"""
RULE = HEAD + "rules:\n  a:\n    when: k\n    if: %s\n    then: r\n"
RULES = "rules:\n  a: {when: k, if: b, then: r}\n"
CASES: dict[str, Callable[[Path], str | Path]] = {}
"""By name: a function of a folder that it may use, which gives a ruleset's text, or its path."""


def case(function: Callable[[Path], str | Path]) -> Callable[[Path], str | Path]:
    """Take a function into the cases."""
    CASES[function.__name__] = function
    return function


def text(name: str, made: Callable[[], str]) -> None:
    """Take a text into the cases."""
    CASES[name] = lambda folder: made()


def condition(name: str, made: Callable[[], str]) -> None:
    """Take a condition into the cases."""
    CASES[name] = lambda folder: RULE % json.dumps(made(), ensure_ascii=False)


def nested(inner: str, form: str, depth: int) -> str:
    """An expression put into itself."""
    for _ in range(depth):
        inner = form.replace("@", inner)
    return inner


def constant(made: str | Path) -> Callable[[Path], str | Path]:
    """A case that needs no folder."""
    return lambda folder: made


# Depth.
text("deep_brackets", lambda: "a: " + "[" * 199_000)
text("deep_braces", lambda: "{a: " * 49_000)
text("deep_list", lambda: "- " * 99_000)
text("deep_keys", lambda: "? " * 99_000)
text("deep_indentation", lambda: "".join(" " * n + "a:\n" for n in range(600)))
text("deep_beyond_the_limit", lambda: "[" * 2_000_000)
condition("deep_expression", lambda: "(" * 100_000 + "b" + ")" * 100_000)
condition("deep_brackets_of_an_expression", lambda: "(" * 1_990 + "b" + ")" * 1_990)
condition("deep_not", lambda: "not " * 990 + "b")
condition("deep_minus", lambda: "-" * 3_900 + "n > 3")
condition("deep_conditional", lambda: "b if b else " * 300 + "b")
condition("deep_comparison", lambda: nested("b", "(@ == b)", 29))
condition("deep_comparison_on_the_right", lambda: nested("b", "(b == @)", 29))
condition("deep_coalesce", lambda: nested("b", "coalesce(@, b)", 29))
condition("deep_coalesce_beyond_the_limit", lambda: nested("b", "coalesce(@, b)", 200))
condition("deep_in", lambda: nested("b", "(@ in [b, b])", 19))
condition("deep_min", lambda: nested("n", "min(@, n)", 29) + " > 3")
condition("deep_choice", lambda: nested("b", "(@ if @ else b)", 7))
condition("many_terms", lambda: " + ".join(["n"] * 100_000) + " > 3")
condition("many_terms_within_the_limit", lambda: "+".join(["n"] * 1_990) + " > 3")
condition("many_alternatives", lambda: " or ".join(["b"] * 790))
condition("many_members", lambda: "n in [" + ",".join(["1"] * 1_900) + "]")
condition("many_arguments", lambda: "max(" + ",".join(["n"] * 1_900) + ") > 3")

# Size.
text("scalar_of_100_megabytes", lambda: HEAD + RULES + "note: " + "x" * 100_000_000)
text("line_ends_of_100_megabytes", lambda: "\n" * 100_000_000)
text("many_nodes", lambda: "a: [" + "b," * 99_000 + "]")
text("many_lines", lambda: "a:\n" + "- b\n" * 49_000)
text("many_lines_of_text", lambda: HEAD + RULES + "note: |\n" + "  x\n" * 49_000)
text("many_comments", lambda: HEAD + RULES + "#\n" * 99_000)
text("many_rules", lambda: HEAD + "rules:\n" + "".join(f"  r{n}: {{when: k, then: r}}\n" for n in range(100_000)))
text("rules_1000", lambda: HEAD + "rules:\n" + "".join(f"  r{n}: {{when: k, then: r}}\n" for n in range(1_000)))
text("rules_1001", lambda: HEAD + "rules:\n" + "".join(f"  r{n}: {{when: k, then: r}}\n" for n in range(1_001)))
text("parameters_100000", lambda: HEAD + "parameters:\n" + "".join(f"  p{n}: 1\n" for n in range(100_000)))
text("parameters_15000", lambda: HEAD + "parameters:\n" + "".join(f"  p{n}: 1\n" for n in range(9_000)))
text("members_1000000", lambda: HEAD + "enums: {e: [" + ",".join(f"m{n}" for n in range(1_000_000)) + "]}")
text("members_15000", lambda: HEAD + "enums: {e: [" + ",".join(f"m{n}" for n in range(15_000)) + "]}")
text(
    "dates_10000",
    lambda: (
        HEAD
        + "parameters: {p: {values: {"
        + ", ".join(f"{1 + n // 360:04}-{1 + n // 30 % 12:02}-{1 + n % 30:02}: 1" for n in range(8_000))
        + "}}}"
    ),
)
text("fields_9000", lambda: HEAD + "  x: {fields: {" + ", ".join(f"f{n}: id" for n in range(9_000)) + "}}")
text("kinds_5000", lambda: HEAD + "".join(f"  k{n}: {{}}\n" for n in range(5_000)))
text("titles_of_many_languages", lambda: HEAD + "title: {" + ", ".join(f"l{n}: x" for n in range(9_000)) + "}")
text("duplicates_9000", lambda: HEAD + "title: {" + "en: x, " * 9_000 + "}")
text("bare_words_in_braces", lambda: HEAD + "title: {en: (" + ", x" * 9_000 + "}")
text("entries_of_then", lambda: RULE % "b" + "  c: {when: k, then: [" + "r," * 9_000 + "]}")


def ladder(steps: int) -> str:
    """A ladder of so many steps."""
    return (
        HEAD
        + "rules:\n  a:\n    when: k\n    ladder:\n      of: count(k)\n      steps:\n"
        + "".join(f"        {n}: r\n" for n in range(1, steps + 1))
    )


text("ladder_of_1000000_steps", lambda: ladder(1_000_000))
text("ladder_of_9000_steps", lambda: ladder(9_000))
text("ladder_of_1000_steps", lambda: ladder(1_000))


# Rules that wait for each other.
def chain(length: int, extra: str = "") -> str:
    """Rules of which each triggers the next."""
    kinds = "".join(f"  c{n}: {{fields: {{}}}}\n" for n in range(length))
    rules = "".join(f"  r{n}: {{when: c{n - 1}{extra}, then: c{n}}}\n" for n in range(1, length))
    return HEAD + kinds + "rules:\n  r0: {when: k, then: c0}\n" + rules


text("chain_of_990_rules", lambda: chain(990))
text(
    "chain_that_reads_everything",
    lambda: chain(100, ', if: "' + " + ".join(f"count(c{n})" for n in range(0, 100, 4)) + ' > 3"'),
)
text("circle_of_900_rules", lambda: chain(900).replace("r0: {when: k,", "r0: {when: k or c899,"))
text(
    "circles_of_their_own",
    lambda: (
        HEAD
        + "".join(f"  c{n}: {{fields: {{}}}}\n" for n in range(900))
        + "rules:\n"
        + "".join(f"  r{n}: {{when: c{n} or k, then: c{n}}}\n" for n in range(900))
    ),
)
text(
    "triggers_of_many_kinds",
    lambda: (
        HEAD
        + "".join(f"  c{n}: {{input: true, fields: {{}}}}\n" for n in range(500))
        + "rules:\n"
        + "".join(f"  r{n}: {{when: {' or '.join(f'c{m}' for m in range(500))}, then: r}}\n" for n in range(40))
    ),
)
text(
    "rules_that_schedule",
    lambda: (
        HEAD
        + "  t: {fields: {}}\nrules:\n  x: {when: k, then: t}\n"
        + "".join(f"  r{n}: {{when: t, then: {{t: {{at: at + 1d}}}}}}\n" for n in range(900))
    ),
)


# Lets that double.
def lets(form: str, last: str, number: int = 59) -> str:
    """A chain of lets, each made of the next."""
    values = "".join(f"      a{n}: {form.replace('@', f'a{n + 1}')}\n" for n in range(number))
    return (
        HEAD + f"rules:\n  a:\n    when: k\n    let:\n{values}      a{number}: {last}\n    if: a0 == a0\n    then: r\n"
    )


text("lets_that_double", lambda: lets("@ + @", "n"))
text("lets_that_double_by_choice", lambda: lets("@ if @ else @", "b"))
text("lets_that_double_by_comparison", lambda: lets("@ == @", "b"))
text("lets_that_double_by_coalesce", lambda: lets("coalesce(@, @)", "n"))
text(
    "lets_with_many_branches",
    lambda: (
        HEAD
        + "rules:\n  a:\n    when: k\n    let:\n      a:\n"
        + "        - {if: b, value: 1}\n" * 3_000
        + "    if: a > 1\n    then: r\n"
    ),
)
text("lets_too_many", lambda: lets("@ + 1", "n", 3_000))
text("lets_in_a_circle", lambda: lets("@ + 1", "a0", 59))

# Numbers.
DIGITS = "9" * 100_000
NUMBERS = {
    "a_parameter": HEAD + f"parameters: {{p: {DIGITS}}}\n" + RULES,
    "a_default": HEAD.replace("n: integer}", f"n: integer = {DIGITS}}}", 1) + RULES,
    "a_severity": HEAD.replace("r: {", f"r: {{effect: lasting, severity: {DIGITS}, ") + RULES,
    "a_step": HEAD + f"rules:\n  a: {{when: k, ladder: {{of: n, steps: {{? {DIGITS} : r}}}}}}\n",
    "a_dated_value": HEAD + f"parameters: {{p: {{values: {{2015-01-01: {DIGITS}}}}}}}\n" + RULES,
    "a_date": HEAD + f"parameters: {{p: {{values: {{? {DIGITS}-01-01 : 3}}}}}}\n" + RULES,
    "from": HEAD + f"rules:\n  a: {{when: k, from: {DIGITS}-01-01, then: r}}\n",
    "a_version": HEAD.replace("hostile\n", f"hostile\nversion: {DIGITS}\n") + RULES,
    "the_version_of_yaml": f"%YAML 1.{DIGITS}\n---\n" + HEAD + RULES,
}
CASES.update({f"digits_in_{place}": constant(made) for place, made in NUMBERS.items()})
for unit in ("", "h", "w", " workdays", " months", " years", "-01-01"):
    for count in (3_000, 100_000):
        expression = f"at > 2015-01-01 + {'9' * count}{unit}"
        CASES[f"digits_{count}{unit.replace(' ', '_')}"] = constant(RULE % expression)

# Names.
LONG = "n" * 100_000
text("long_name_of_a_kind", lambda: HEAD + f"  ? {LONG}\n  : {{}}\n")
text("long_name_of_a_rule", lambda: HEAD + f"rules:\n  ? {LONG}\n  : {{when: k, then: r}}\n")
text("long_key", lambda: HEAD + f"{LONG}: x\n")
text("long_name_of_a_vocabulary", lambda: HEAD + f"vocabulary: {LONG}\n")
text("long_name_of_a_time_zone", lambda: HEAD.replace("UTC", LONG))
text("long_name_of_a_type", lambda: HEAD + f"  x: {{fields: {{f: {LONG}}}}}\n")
text("long_tag", lambda: f"!{LONG} {{}}")
text("long_anchor", lambda: f"&{LONG} {{}}")
text("long_alias", lambda: f"*{LONG}")
condition("long_name_in_an_expression", lambda: "n" * 3_900)
condition("long_text_in_an_expression", lambda: '"' + "\\u4e2d" * 600 + '" == t')
text(
    "unknown_names_and_many_known",
    lambda: (
        HEAD
        + "enums: {e: ["
        + ", ".join(f"member_number_{n}" for n in range(1_900))
        + "]}\nrules:\n"
        + "".join(f"  r{n}: {{when: k, if: membre_nmuber_{n}, then: r}}\n" for n in range(900))
    ),
)
text("unknown_keys", lambda: HEAD + "".join(f"rulse{n}: x\n" for n in range(9_000)))
text(
    "mistakes_without_end",
    lambda: HEAD + "rules:\n" + "".join(f"  r{n}: {{when: q, if: 1 +, then: s}}\n" for n in range(900)),
)

# Strings that make careless patterns slow.
text("pattern_of_quotes", lambda: HEAD + RULES + 'title: {en: x "' + '\\"' * 60_000 + "}")
text("pattern_of_sixty", lambda: HEAD + RULES + "title: {en: " + "1:" * 60_000 + "x}")
text("pattern_of_octal", lambda: HEAD + RULES + "title: {en: " + "0_" * 60_000 + "8}")
text("pattern_of_blanks", lambda: HEAD + RULES + 'title: {en: "' + " \n" * 60_000 + '"}')
text("pattern_of_brackets", lambda: HEAD + RULES + "title: {en: " + "(" * 120_000 + "}")
condition("pattern_of_texts", lambda: 't == "' + "\\\\" * 1_900)
condition("pattern_of_strings", lambda: 't == "' + '\\"' * 1_900)
condition("pattern_of_numbers", lambda: "1." * 1_900)
condition("pattern_of_names", lambda: "a.b" * 1_000)
condition("pattern_of_blanks_in_an_expression", lambda: "b" + " " * 3_900 + "!")
text(
    "folded_expressions_with_mistakes",
    lambda: (
        HEAD
        + "rules:\n"
        + "".join(
            f"  r{n}:\n    when: k\n    if: >-\n      " + "x and\n      " * 380 + "y\n    then: r\n" for n in range(40)
        )
    ),
)
text(
    "quoted_expressions_with_mistakes",
    lambda: (
        HEAD
        + "rules:\n"
        + "".join(f"  r{n}:\n    when: k\n    if: '" + "x and  " * 560 + "y'\n    then: r\n" for n in range(45))
    ),
)
text(
    "expressions_up_to_the_limit",
    lambda: (
        HEAD
        + "rules:\n"
        + "".join(
            f"  r{n}:\n    when: k\n    if: " + " or ".join(["n > 1"] * 430) + "\n    then: r\n" for n in range(24)
        )
    ),
)
text(
    "expressions_of_arguments",
    lambda: (
        HEAD
        + "rules:\n"
        + "".join(
            f"  r{n}:\n    when: k\n    if: n > max(" + ",".join(["n"] * 1_900) + ")\n    then: r\n" for n in range(24)
        )
    ),
)

# Laughs.
text(
    "laughs",
    lambda: (
        "a: &a [lol, lol]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20))
    ),
)
text(
    "laughs_by_merging",
    lambda: "a: &a {x: y}\n" + "".join(f"b{n}: {{<<: [{', '.join(['{x: y}'] * 9)}]}}\n" for n in range(500)),
)
text("anchors", lambda: "".join(f"a{n}: &x y\n" for n in range(9_000)))
text("tags", lambda: "".join(f"a{n}: !!python/object/apply:os.system [x]\n" for n in range(3_000)))
text("documents", lambda: "---\na: b\n" * 20_000)

# Characters.
text("nul", lambda: RULE % "b" + "\0")
text("escape_character", lambda: HEAD + RULES + "title: '\x1b[31m'\n")
text("lone_surrogate", lambda: HEAD + RULES + "title: '\ud800'\n")
text("lone_surrogate_in_a_name", lambda: HEAD + "  \ud800: {}\n")
text("escaped_surrogate_in_a_text", lambda: RULE % "'t == \"\\ud83d\"'")
text("only_tabs", lambda: "\t" * 100_000)
text("only_carriage_returns", lambda: "\r" * 100_000)
text("only_line_separators", lambda: "\u2028" * 100_000)
text("byte_order_marks", lambda: "\ufeff" * 100_000)
text("escapes", lambda: HEAD + RULES + 'title: "' + "\\U0010FFFF" * 19_000 + '"')
text("right_to_left", lambda: HEAD + "  \u202ex: {}\n")


def written(folder: Path, content: bytes) -> Path:
    """A file of these bytes."""
    path = folder / "hostile.yaml"
    path.write_bytes(content)
    return path


@case
def file_of_100_megabytes(folder: Path) -> Path:
    """A file with a hole in it."""
    path = written(folder, b"")
    with path.open("wb") as file:
        file.truncate(100_000_000)
    return path


def bytes_of(content: bytes) -> Callable[[Path], Path]:
    """A case of a file of these bytes."""
    return lambda folder: written(folder, content)


for encoding in ("utf-16", "utf-16-le", "utf-32", "gb18030"):
    CASES[f"file_in_{encoding}"] = bytes_of((RULE % "b" + "title: {zh: 三振出局}\n").encode(encoding))
CASES["file_not_in_utf_8"] = bytes_of(b"\xef\xbb\xbfruleset: \xff\xfe\n")
CASES["file_of_surrogates"] = bytes_of(b"ruleset: \xed\xa0\x80\n")
CASES["file_cut_in_a_character"] = bytes_of("ruleset: 三".encode()[:-1])
CASES["file_that_is_a_folder"] = lambda folder: folder
CASES["file_that_is_not_there"] = lambda folder: folder / "none.yaml"
NAMES = (
    *("", ".", "..", "../x", "con", "a\0b", "a\0b.yaml", "x" * 5_000, "x" * 5_000 + ".yaml", "\ud800", "\ud800.yaml"),
    *("a/\0/b", "~", "/", "shipped:x", "x\ny", "三振"),
)
for number, name in enumerate(NAMES):
    CASES[f"ruleset_named_{number}"] = constant(Path(name))
    CASES[f"includes_{number}"] = constant(HEAD + f"include: [{json.dumps(name)}]\n")


# Files that lead to files.
def files(folder: Path, number: int, body: Callable[[int], str]) -> Path:
    """Files `f0`, `f1` …"""
    for n in range(number):
        (folder / f"f{n}.yaml").write_text(f"ruleset: f{n}\n{body(n)}", encoding="utf-8")
    return folder / "f0.yaml"


LEAF = HEAD.partition("\n")[2] + "rules: {a: {when: k, then: r}, b: {when: k, then: {p: {n: n}}}}\n"
CASES["includes_of_1000_files"] = lambda folder: files(
    folder, 1_001, lambda n: f"include: [{', '.join(f'f{m}' for m in range(1, 1_001))}]\n" if n == 0 else LEAF
)
CASES["extends_1000_deep"] = lambda folder: files(folder, 1_000, lambda n: f"extends: f{n + 1}\n" if n < 999 else LEAF)
CASES["extends_90_deep"] = lambda folder: files(folder, 90, lambda n: f"extends: f{n + 1}\n" if n < 89 else LEAF)
CASES["extends_in_a_circle_of_50"] = lambda folder: files(folder, 50, lambda n: f"extends: f{(n + 1) % 50}\n")
CASES["includes_itself"] = lambda folder: files(folder, 1, lambda n: "include: [f0, f0, f0]\n" + LEAF)
CASES["includes_in_diamonds"] = lambda folder: files(
    folder,
    60,
    lambda n: f"include: [f{n + 1}, f{min(n + 2, 59)}]\n" if n < 58 else LEAF if n == 59 else "include: f59\n",
)
CASES["includes_of_large_files"] = lambda folder: files(
    folder,
    90,
    lambda n: "include: [" + ", ".join(f"f{m}" for m in range(1, 90)) + "]\n" if n == 0 else LEAF + "#" * 100_000,
)
CASES["calendar_of_400_years"] = lambda folder: calendar(folder, "first: 1700-01-01\nlast: 2099-12-31\n")
CASES["calendar_of_9999_years"] = lambda folder: calendar(folder, "first: 0001-01-01\nlast: 9999-12-31\n")
CASES["calendar_of_many_ranges"] = lambda folder: calendar(
    folder, "first: 1700-01-01\nlast: 2099-12-31\nholidays:\n" + "  - 1700-01-01..2099-12-31\n" * 5_000
)
CASES["calendar_of_digits"] = lambda folder: calendar(folder, f"first: {DIGITS}\nlast: 2099-12-31\n")


def calendar(folder: Path, days: str) -> Path:
    """A ruleset with such a calendar."""
    (folder / "days.yaml").write_text("calendar: days\n" + days, encoding="utf-8")
    return written(folder, (RULE % "b" + "calendar: days\n").encode())


def attempt(made: str | Path) -> tuple[str, strikeout.Ruleset | None]:
    """What comes of a ruleset: `loads`, `refused`, or what should never be."""
    try:
        return "loads", strikeout.load(made) if isinstance(made, Path) else strikeout.load_text(made)
    except RulesetError as error:
        message = str(error).encode()
        inside = all(0 <= p.span.start <= p.span.end <= len(p.span.source.text) for p in error.problems)
        sound = inside and error.problems and len(message) < 2_000_000
        return "refused" if sound else "refused without a reason", None


def run(ruleset: strikeout.Ruleset) -> str:
    """Run what loads on a fact: what takes no time to read takes no time to run."""
    facts = [{"kind": "k", "at": "2015-01-01", "seller": "s", "b": True, "n": 1, "t": "x"}]
    for engine in ("compiled", "rete"):
        try:
            list(ruleset.run(facts, engine=engine).facts)
        except strikeout.RunError as error:
            if engine == "compiled":
                return f"{type(error).__name__}: {error}"
    return "loads"


def limited(name: str, folder: Path) -> dict[str, object]:
    """Try a case in a process of its own, with at most so much memory and CPU."""
    import resource

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_CPU, (60, 61))
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (3_000_000_000, 3_000_000_000))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        made = CASES[name](folder)
        slow = slowness()
        start = time.process_time()
        seconds = 60.0
        try:
            outcome, ruleset = attempt(made)
            seconds = time.process_time() - start
            if ruleset is not None and name.startswith(("lets_", "deep_")):
                outcome = run(ruleset)
        except BaseException as error:  # noqa: BLE001
            outcome = f"{type(error).__name__}: {str(error)[:300]}"
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        megabytes = grown / (1_000_000 if sys.platform == "darwin" else 1_000)
        os.write(writing, json.dumps([outcome, seconds, megabytes, max(slow, slowness())]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    ended: tuple[str, float, float, float] = json.loads(answer) if answer else ("killed", 60.0, 0.0, 1.0)
    outcome, seconds, megabytes, slow = ended
    return {
        "case": name,
        "outcome": outcome,
        "seconds": round(seconds, 3),
        "megabytes": round(megabytes),
        "slowness": round(slow, 2),
    }


def slowness() -> float:
    """How many times slower the machine is just now than one for which the limits are; at least one.

    A core that is shared with others does less in a second of its time.
    """
    start = time.process_time()
    sum(len(str(n)) for n in range(200_000))
    return max(1.0, (time.process_time() - start) / 0.025)


def main(folder: Path, names: list[str]) -> None:
    """Try the cases of these names, or all."""
    strikeout.load_text(RULE % "b").run([], engine="compiled")
    gc.collect()
    for name in names or CASES:
        place = folder / str(len(list(folder.iterdir())))
        place.mkdir()
        print(json.dumps(limited(name, place)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
