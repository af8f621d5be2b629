"""Rulesets and histories made at random: the whole language, from a seed.

`ruleset(rng)` writes YAML text, `history(rng, ruleset, size)` makes input facts that collide: few subjects, few ids,
instants at the ends of windows, a microsecond beside them, at local midnights, at the same instant. Everything comes
from one `random.Random`, so that a failing case is named by its seed; `chance` hands Hypothesis' own source to the same
code, which lets it shrink, and `reduce` makes a failing ruleset and history smaller.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import yaml
from hypothesis import strategies

from strikeout.facts import Fact, Field, Kind, Value
from strikeout.ground.problems import Span
from strikeout.ground.values import DAY, HOUR, ArithmeticFault, Period, Zone, add_period
from strikeout.model import Aggregate, Literal, ParameterValue, Ruleset, Within, rule_expressions, walk

ZONES = (
    *("Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai", "UTC", "America/New_York", "Europe/London"),
    *("America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "Africa/Cairo"),
    "America/St_Johns",
)
FIELDS = {  # One name has one type in all kinds.
    "complaint": "id",
    "right": "id",
    "amount": "integer",
    "base": "integer",
    "grace": "duration",
    "filed": "time",
    "special": "boolean",
    "finding": "finding",
    "remark": "text",
    "until": "time",
}
DEFAULTS = {
    "integer": "2",
    "duration": "1d",
    "boolean": "false",
    "finding": "serious",
    "text": '"x"',
    "time": "2015-01-05",
}
MEMBERS = ("general", "serious", "counterfeit")
GIVEN = ("notice", "upheld", "withdrawal", "payment")
DERIVED = ("strike", "points", "restriction", "release", "warning", "marker", "closure")
DURATIONS = ("15s", "30m", "1h", "24h", "1d", "3d", "72h", "1w", "30d")
DATES = ("1 date", "2 dates", "5 dates")
MONTHS = ("1 month", "2 months", "1 year")
TIMES = (  # Ordinary days, ends of months and years, and the nights on which clocks change.
    *("2015-01-01", "2015-01-05", "2015-01-31T23:30", "2015-02-17", "2015-02-28", "2015-03-08T02:30"),
    *("2015-03-29T01:30", "2015-10-18", "2015-11-01T01:30", "2014-12-31T23:59:59.999999", "2016-02-29"),
)
TEXTS = ("x", "y", "é")
IDS = ("c1", "c2", "C10")
SUBJECTS = ("s1", "s1", "s1", "s1", "s2", "s10", "é")
INTEGER_MAX = 2**63 - 1


@dataclass
class Declared:
    """A kind as the generator declares it: its fields as name to `required`, `optional` or a default's text."""

    name: str
    given: bool
    fields: dict[str, str]
    level: int
    effect: str = ""

    def known(self, name: str) -> bool:
        return self.fields[name] != "optional"


@dataclass
class Scope:
    """What an expression may name: fields of the trigger, aliases, `let` names; or, in `where`, a kind's own fields."""

    fields: dict[str, bool]
    aliases: dict[str, Declared] = field(default_factory=dict)
    lets: dict[str, tuple[str, bool]] = field(default_factory=dict)
    where: bool = False


class Writer:
    """Writes one ruleset."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.kinds: list[Declared] = []
        self.readable: list[Declared] = []  # What aggregates and `with` may read: of void rules, input kinds only.
        self.voiding: list[Declared] = []
        self.lengths = [rng.choice(DURATIONS), rng.choice((*DATES, *MONTHS, *DURATIONS))]  # Its favourite windows.
        self.available: set[str] = set()  # Names of kinds that are given, or derived by a rule written so far.
        self.parameters: dict[str, tuple[str, bool, Any]] = {}  # type, dated, value as written

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # Declarations.

    def write(self) -> dict[str, Any]:
        rng = self.rng
        self.declare_parameters()
        given = list(GIVEN[: rng.randint(2, len(GIVEN))])
        derived = rng.sample(DERIVED, rng.randint(2, 5))
        levels = list(range(len(given) + len(derived)))
        if self.chance(0.3):
            rng.shuffle(levels)
        for name, level in zip(given + derived, levels, strict=True):
            self.kinds.append(self.kind(name, name in given or self.chance(0.15), level))
        self.readable = self.kinds
        kinds = [k for k in self.kinds if k.given]
        if len(kinds) > 1 and self.chance(0.45):
            self.voiding = rng.sample(kinds, 2 if len(kinds) > 2 and self.chance(0.3) else 1)
        rules = self.rules()
        facts = {kind.name: self.declaration(kind) for kind in self.kinds}
        text: dict[str, Any] = {"ruleset": "generated", "version": "2015-01-01", "subject": "seller"}
        text |= {"timezone": rng.choice(ZONES), "calendar": "CN"}
        if self.chance(0.2):
            text["terminal"] = rng.choice([k.name for k in self.kinds])
        text |= {"enums": {"finding": list(MEMBERS)}, "facts": facts}
        values = {name: value for name, (_, _, value) in self.parameters.items()}
        return text | ({"parameters": values} if values else {}) | {"rules": rules}

    def declare_parameters(self) -> None:
        rng = self.rng
        kinds: dict[str, Callable[[], str]] = {
            "limit:integer": lambda: str(rng.randint(0, 4)),
            "window:duration": lambda: rng.choice(DURATIONS),
            "span:dates": lambda: rng.choice(DATES),
            "term:months": lambda: rng.choice(MONTHS),
            "deadline:workdays": lambda: rng.choice(("1 workday", "3 workdays")),
            "start:time": lambda: rng.choice(TIMES),
            "strict:boolean": lambda: rng.choice(("true", "false")),
        }
        for key, value in kinds.items():
            name, type_ = key.split(":")
            if self.chance(0.5):
                dated = self.chance(0.3)
                dates = sorted(rng.sample([t[:10] for t in TIMES], rng.randint(1, 3)))
                written = {"values": {date: value() for date in dates}} if dated else value()
                self.parameters[name] = (type_, dated, written)

    def kind(self, name: str, given: bool, level: int) -> Declared:
        rng, declared = self.rng, {}
        effect = rng.choice(("", "", "lasting", "interval"))
        for f in FIELDS:
            if f == "until" or not self.chance(0.8 if f in ("complaint", "amount") else 0.4):
                continue
            ways = ("required", "required", "optional", "optional", DEFAULTS.get(FIELDS[f], "required"))
            declared[f] = rng.choice(ways)
        if effect == "interval":
            declared["until"] = "required"
        return Declared(name, given, declared, level, effect)

    def declaration(self, kind: Declared) -> dict[str, Any]:
        written: dict[str, Any] = {"input": "true"} if kind.given else {}
        if kind.effect:
            written |= {"effect": kind.effect, "severity": str(self.rng.choice((10, 20, 20, 30)))}
        ended = [k for k in self.kinds if k.effect and k is not kind]
        if ended and self.chance(0.3):
            other = self.rng.choice(ended)
            by = [f for f in kind.fields if f in other.fields and f != "until" and self.chance(0.5)]
            written["ends"] = other.name + (f" by {', '.join(by)}" if by else "")
        types = {}
        for f, how in kind.fields.items():
            plain = how in ("required", "optional")
            types[f] = f"optional {FIELDS[f]}" if how == "optional" else FIELDS[f] + ("" if plain else f" = {how}")
        return written | {"fields": types}

    # Rules.

    def rules(self) -> dict[str, Any]:
        rng = self.rng
        rules: dict[str, Any] = {}
        names = [f"r{n}" for n in range(rng.randint(2, 7))]
        rng.shuffle(names)  # A rule's name is no hint of what it waits for.
        self.available = {k.name for k in self.kinds if k.given}
        for name in names:
            triggers = [k for k in self.kinds if k.name in self.available]
            chosen = rng.sample(triggers, 2 if len(triggers) > 1 and self.chance(0.2) else 1)
            if rules and self.chance(0.12):  # The same again: one fact, two reasons.
                rules[name] = rng.choice(list(rules.values()))
                continue
            rules[name], derives = self.rule(chosen)
            self.available |= derives
        if self.chance(0.25):
            rules |= self.circle()
        given = self.readable = [k for k in self.kinds if k.given]
        for n, trigger in enumerate(self.voiding):
            rules[f"v{n}"] = self.void_rule(trigger, [k for k in given if k not in self.voiding])
        return rules

    def circle(self) -> dict[str, Any]:
        """Rules of one trigger each of which reads what the next one derives: neutral reads on a circle."""
        rng, rules = self.rng, {}
        trigger = rng.choice([k for k in self.kinds if k.name in self.available])
        above = [k for k in self.kinds if k.level > trigger.level and k not in self.voiding]
        ring = rng.sample(above, min(len(above), rng.randint(2, 3)))
        for place, kind in enumerate(ring):
            rule, scope = self.head([trigger])
            read = self.selection(ring[(place + 1) % len(ring)], scope)
            rule["if"] = f"{rng.choice(('any', 'none', 'none'))}({read}{self.window(scope)})"
            rules[f"{rng.choice('pq')}{place}"] = rule | {"then": self.derivation([trigger], scope, set(), kind)}
        return rules

    def scope(self, triggers: list[Declared]) -> Scope:
        shared = [f for f in triggers[0].fields if all(f in t.fields for t in triggers)]
        return Scope({f: all(t.known(f) for t in triggers) for f in shared})

    def head(self, triggers: list[Declared]) -> tuple[dict[str, Any], Scope]:
        """`when`, `from`, `until`, `with` and `let`, and what they bring into scope."""
        rng, scope = self.rng, self.scope(triggers)
        rule: dict[str, Any] = {"when": " or ".join(t.name for t in triggers)}
        if self.chance(0.12):
            key = rng.choice(("from", "until"))
            rule[key] = rng.choice(TIMES)
        for alias in ("former", "other"):
            if self.chance(0.12):
                kind = rng.choice([k for k in self.readable if k.name in self.available])
                rule.setdefault("with", {})[alias] = self.selection(kind, scope)
                scope.aliases[alias] = kind
        for let in ("nth", "total", "case"):
            if self.chance(0.3):
                type_ = rng.choice(("integer", "integer", "boolean", "duration", "time", "id"))
                known = self.chance(0.4)
                if self.chance(0.4):
                    branches = [
                        {"if": self.boolean(scope, 1), "value": self.expression(type_, scope, 1, known)}
                        for _ in range(rng.randint(1, 2))
                    ]
                    if known or self.chance(0.5):
                        branches.append({"value": self.expression(type_, scope, 1, known)})
                    rule.setdefault("let", {})[let] = branches
                else:
                    rule.setdefault("let", {})[let] = self.expression(type_, scope, 2, known)
                scope.lets[let] = (type_, known)
        return rule, scope

    def rule(self, triggers: list[Declared]) -> tuple[dict[str, Any], set[str]]:
        rng = self.rng
        rule, scope = self.head(triggers)
        derives: set[str] = set()
        self.back: set[str] = set()
        ladder = self.chance(0.22)
        if not ladder or self.chance(0.4):
            self.condition(rule, scope)
        if ladder:
            steps = sorted(rng.sample((1, 2, 3, 4, 12), rng.randint(1, 4)))
            of = self.climb(triggers[0], scope)
            if self.chance(0.4):
                rule.setdefault("let", {})["climb"] = of
                of = "climb"
            rule["ladder"] = {"of": of, "steps": {str(s): self.then(triggers, scope, derives) for s in steps}}
        else:
            rule["then"] = self.then(triggers, scope, derives)
        limits = [f"count({name}) < {rng.randint(1, 5)}" for name in sorted(self.back)]
        if limits:  # What may lead back to the rule comes to an end.
            rule["if"] = " and ".join([*limits, f"({rule['if']})"] if "if" in rule else limits)
        return rule, derives

    def climb(self, trigger: Declared, scope: Scope) -> str:
        """What a ladder counts: mostly its triggers, or their amounts."""
        read = trigger if self.chance(0.7) and trigger in self.readable else self.read()
        counted = f"count({self.selection(read, scope)}{self.window(scope)})"
        if "amount" in read.fields and self.chance(0.6):
            counted = f"sum({read.name}.amount{self.window(scope)})"
        if self.chance(0.2):
            return f"{counted} + {self.atom('integer', scope, False)}"
        return self.top(self.integer(scope, 2, False)) if self.chance(0.15) else counted

    def condition(self, rule: dict[str, Any], scope: Scope) -> None:
        """An `if`, and what its guards make known."""
        parts = []
        for f, known in list(scope.fields.items()):
            if not known and self.chance(0.25):
                parts.append(f"known({f})")
                scope.fields[f] = True
        if self.chance(0.4):
            parts.append(self.boolean(scope, self.rng.choice((0, 0, 1, 2))))
        self.rng.shuffle(parts)
        if parts:
            rule["if"] = " and ".join(parts) if len(parts) > 1 else self.top(parts[0])

    def void_rule(self, trigger: Declared, targets: list[Declared]) -> dict[str, Any]:
        rule, scope = self.head([trigger])
        self.condition(rule, scope)
        if self.chance(0.4):
            asked = f"count({self.selection(self.rng.choice(targets), scope)}) {self.rng.choice(('<', '==', '>='))} 2"
            rule["if"] = f"{asked} and ({rule['if']})" if "if" in rule else asked
        voids = []
        for target in self.rng.sample(targets, 2 if len(targets) > 1 and self.chance(0.3) else 1):
            by = [f for f in target.fields if f in trigger.fields and self.chance(0.6)]
            voids.append(target.name + (f" by {', '.join(by)}" if by else ""))
        return rule | {"void": voids if len(voids) > 1 else voids[0]}

    def then(self, triggers: list[Declared], scope: Scope, derives: set[str]) -> Any:
        entries = [self.derivation(triggers, scope, derives)]
        if self.chance(0.25):
            again = next(iter(entries[0])) if isinstance(entries[0], dict) else entries[0]
            same = next(k for k in self.kinds if k.name == again) if self.chance(0.6) else None
            entries.append(self.derivation(triggers, scope, derives, same))
        return entries if len(entries) > 1 else entries[0]

    def derivation(
        self, triggers: list[Declared], scope: Scope, derives: set[str], forced: Declared | None = None
    ) -> Any:
        rng = self.rng
        able = [k for k in self.kinds if k not in self.voiding]
        free = [k for k in able if not k.given or self.chance(0.2)]
        now = [k for k in free if k.level > max(t.level for t in triggers)]  # No circle at one instant.
        later = not now or self.chance(0.2)
        if forced:
            now, later = [forced], forced not in now
        ahead = [k for k in free if k not in triggers] if self.chance(0.9) else free
        kind = forced or (rng.choice(ahead or free or able) if later else rng.choice(now))
        derives.add(kind.name)
        if later and kind.level <= max(t.level for t in triggers):
            self.back.add(kind.name)
        values: dict[str, Any] = {}
        for f, how in kind.fields.items():
            known = how == "required"
            carried = f in scope.fields or any(f in k.fields for k in scope.aliases.values())
            holder = next((k for k in scope.aliases.values() if f in k.fields), None)
            carried_known = scope.fields[f] if f in scope.fields else holder is not None and holder.known(f)
            if self.chance(0.6) and (not known or (carried and carried_known)):
                continue
            values[f] = self.expression(FIELDS[f], scope, 2, known)
            if f == "until" and self.chance(0.8):
                values[f] = f"at + {rng.choice((*DURATIONS, *DATES, *MONTHS))}"
        if later:
            values["at"] = self.instant_ahead(scope)
        return {kind.name: values} if values else kind.name

    def instant_ahead(self, scope: Scope) -> str:
        """An instant that is mostly not before now."""
        ways = ["at", f"at + {self.rng.choice(DURATIONS)}", f"at + {self.rng.choice((*DATES, *MONTHS))}"]
        ways += ["at + 3 workdays", "at + 1 workday", "day(at) + 1 date", "month(at) + 1 month"]
        ways += [
            f"at + {p}"
            for p in ("window", "span", "term", "deadline")
            if p in self.parameters and not self.parameters[p][1]
        ]
        ways += [f"{f} + 30d" for f in ("filed", "until") if scope.fields.get(f)]
        return self.rng.choice(ways)

    # Expressions. Each method gives text that can stand as an operand.

    def top(self, text: str) -> str:
        """Without the brackets that only an operand needs."""
        if text.startswith("(") and text.endswith(")"):
            depth = 0
            for place, letter in enumerate(text):
                depth += {"(": 1, ")": -1}.get(letter, 0)
                if depth == 0:
                    return text[1:-1] if place == len(text) - 1 else text
        return text

    def expression(self, type_: str, scope: Scope, depth: int, known: bool) -> str:
        """An expression of a type, of which the checker says that it is known if it must be."""
        special = {"integer": self.integer, "duration": self.duration, "time": self.time}
        if type_ == "boolean":
            text = self.top(self.boolean(scope, depth) if self.chance(0.7) else self.atom(type_, scope, known))
            return f"{text} == true" if known and scope.fields.get(text) is False else text
        if type_ == "integer" and self.chance(0.4):
            return self.aggregate(type_, scope, known)
        if type_ in special and depth > 0:
            return self.top(special[type_](scope, depth, known))
        return self.top(self.combined(type_, scope, depth, known))

    def combined(self, type_: str, scope: Scope, depth: int, known: bool) -> str:
        """A choice, `coalesce`, or an atom."""
        if depth > 0 and not scope.where and self.chance(0.15):
            yes, no = (self.combined(type_, scope, depth - 1, known) for _ in range(2))
            return f"({yes} if {self.boolean(scope, 0)} else {no})"
        if depth > 0 and self.chance(0.15):
            first = self.atom(type_, scope, False)
            if not self.is_member(first):
                return f"coalesce({first}, {self.atom(type_, scope, known)})"
        return self.atom(type_, scope, known)

    def is_member(self, text: str) -> bool:
        return text in MEMBERS

    def literal(self, type_: str) -> str:
        rng = self.rng
        if type_ == "integer" and self.chance(0.04):
            return rng.choice((str(INTEGER_MAX), "4611686018427387904", "-4611686018427387905"))
        literals: dict[str, Sequence[str]] = {
            "integer": ("0", "1", "1", "2", "3", "5", "12", "-1"),
            "duration": DURATIONS,
            "time": TIMES,
            "boolean": ("true", "false"),
            "text": [f'"{t}"' for t in TEXTS],
            "finding": MEMBERS,
            "id": ("seller",),
        }
        return rng.choice(literals[type_])

    def atom(self, type_: str, scope: Scope, known: bool) -> str:
        """A name, a literal or an aggregate."""
        names = [f for f, sure in scope.fields.items() if FIELDS[f] == type_ and (sure or not known)]
        names += [n for n, (t, sure) in scope.lets.items() if t == type_ and (sure or not known)]
        names += [
            p for p, (t, dated, _) in self.parameters.items() if t == type_ and not (dated and (known or scope.where))
        ]
        for alias, kind in scope.aliases.items():
            own = [f for f in kind.fields if FIELDS[f] == type_ and (kind.known(f) or not known)]
            names += [f"{alias}.{f}" for f in own]
            names += [f"{alias}.at"] if type_ == "time" else []
        names += ["at", "at"] if type_ == "time" else []
        names += ["seller"] if type_ == "id" and not scope.where and self.chance(0.2) else []
        if not scope.where and self.chance(0.35 if names else 0.6):
            aggregate = self.aggregate(type_, scope, known)
            if aggregate:
                return aggregate
        if scope.where and type_ == "id":
            return self.rng.choice(names or [f'"{IDS[0]}"'])
        return self.rng.choice(names) if names and self.chance(0.75) else self.literal(type_)

    def integer(self, scope: Scope, depth: int, known: bool) -> str:
        if depth == 0 or self.chance(0.5):
            return self.combined("integer", scope, depth, known)
        a, b = (self.integer(scope, depth - 1, known) for _ in range(2))
        way = self.rng.random()
        if way < 0.6:
            return f"({a} {self.rng.choice('+-*')} {b})"
        if way < 0.75:
            divisor = self.rng.choice(("2", "3", "-2")) if known else b
            return f"({a} {self.rng.choice(('//', '%'))} {divisor})"
        if way < 0.85 and not known:
            x, y = (self.duration(scope, depth - 1, False) for _ in range(2))
            return f"({x} // {y})"
        return self.rng.choice((f"min({a}, {b})", f"max({a}, {b}, 1)", f"abs({a})", f"(-{a})" if a[0] != "-" else a))

    def duration(self, scope: Scope, depth: int, known: bool) -> str:
        if depth == 0 or self.chance(0.5):
            return self.combined("duration", scope, depth, known)
        a, b = (self.duration(scope, depth - 1, known) for _ in range(2))
        n = self.integer(scope, depth - 1, known)
        x, y = (self.time(scope, depth - 1, known) for _ in range(2))
        ways = [f"({a} {self.rng.choice('+-')} {b})", f"({a} * {n})", f"({n} * {a})", f"({x} - {y})"]
        ways += [f"({a} // 2)", f"({a} % 1d)", f"abs({a})", f"min({a}, {b})", f"max({a}, {b})"]
        ways += [] if known else [f"({a} // {n})", f"({a} % {b})"]
        return self.rng.choice(ways)

    def time(self, scope: Scope, depth: int, known: bool) -> str:
        if depth == 0 or self.chance(0.5):
            return self.combined("time", scope, depth, known)
        a = self.time(scope, depth - 1, known)
        d = self.duration(scope, depth - 1, known)
        period = self.rng.choice((*DATES, *MONTHS))
        ways = [f"({a} + {d})", f"({a} - {d})", f"({d} + {a})", f"({a} + {period})", f"({a} - {period})"]
        ways += [f"day({a})", f"month({a})", f"year({a})", f"min({a}, at)", f"max({a}, at)"]
        ways += [f"({a} + {self.rng.choice(('1 workday', '3 workdays'))})"]
        for p in ("span", "term", "deadline"):
            if p in self.parameters and not (self.parameters[p][1] and (known or scope.where)):
                ways.append(f"({a} + {p})")
        return self.rng.choice(ways)

    def boolean(self, scope: Scope, depth: int) -> str:
        """A condition; never a constant one."""
        rng = self.rng
        if depth > 0 and self.chance(0.4):
            a, b = (self.boolean(scope, depth - 1) for _ in range(2))
            return rng.choice((f"({a} and {b})", f"({a} or {b})", f"(not {a})", f"({a} and not {b})"))
        if not scope.where and self.chance(0.3):
            kind = self.read()
            return f"{rng.choice(('any', 'none'))}({self.selection(kind, scope)}{self.window(scope)})"
        if not scope.where and self.chance(0.3):  # What policies mostly ask.
            compare = rng.choice((">=", ">=", "==", "<", "!="))
            return f"({self.aggregate('integer', scope, True)} {compare} {rng.randint(1, 3)})"
        flags = [f for f in scope.fields if FIELDS[f] == "boolean"]
        if flags and self.chance(0.4):
            return rng.choice((flags[0], f"(not {flags[-1]})"))
        types = [t for t in ("finding", "id", "text", "boolean") if any(FIELDS[f] == t for f in scope.fields)]
        type_ = rng.choice(("integer", "integer", "time", "duration", *types))
        left = self.named(type_, scope)
        if type_ in ("finding", "id", "text") and self.chance(0.4):
            texts = [f'"{i}"' for i in IDS] if type_ == "id" else [self.literal(type_) for _ in range(2)]
            items = ", ".join(dict.fromkeys(texts[:2]))
            return f"({left} {rng.choice(('in', 'not in'))} [{items}])"
        if type_ == "integer" and self.chance(0.3):
            return f"({left} {rng.choice(('in', 'not in'))} [1, 2, {self.integer(scope, 0, False)}])"
        if type_ in ("finding", "id", "text", "boolean"):
            right = self.atom(type_, scope, False)
            if right != left:
                return f"({left} {rng.choice(('==', '!='))} {right})"
            type_, left = "time", "at"
        special = {"integer": self.integer, "duration": self.duration, "time": self.time}[type_]
        right = special(scope, min(depth, 1), False)
        right = self.literal(type_) if right == left else right
        compare = rng.choice(("==", "!=", "<", "<=", ">", ">="))
        return f"({left} {compare} {right})"

    def named(self, type_: str, scope: Scope) -> str:
        """Something of a type that is no literal."""
        names = [f for f in scope.fields if FIELDS[f] == type_]
        if names and self.chance(0.6):
            return self.rng.choice(names)
        if scope.where:
            return (
                self.rng.choice(names)
                if names
                else {"integer": "((at - 2015-01-05) // 1d)", "time": "at"}.get(type_, "(at - 2015-01-05)")
            )
        return self.aggregate(type_, scope, False) or (
            "at" if type_ == "time" else "(at - 2015-01-05)" if type_ == "duration" else self.rng.choice(names)
        )

    # Aggregates.

    def aggregate(self, type_: str, scope: Scope, known: bool) -> str:
        """An aggregate of a type, or nothing where no kind has such a field."""
        rng = self.rng
        if type_ == "boolean" and self.chance(0.8):
            return f"{rng.choice(('any', 'none'))}({self.selection(self.read(), scope)}{self.window(scope)})"
        if type_ == "integer" and self.chance(0.5):
            return f"count({self.selection(self.read(), scope)}{self.window(scope)})"
        holders = [(k, f) for k in self.readable for f in k.fields if FIELDS[f] == type_]
        holders += [(k, "at") for k in self.readable] if type_ == "time" else []
        functions = ["sum"] if type_ in ("integer", "duration") else []
        if not known:
            functions += ["first", "last"] + (["min", "max"] if type_ in ("integer", "duration", "time") else [])
        if not functions or not holders:
            return ""
        kind, f = rng.choice(holders)
        selection = self.selection(kind, scope).replace(kind.name, f"{kind.name}.{f}", 1)
        return f"{rng.choice(functions)}({selection}{self.window(scope)})"

    def read(self) -> Declared:
        """A kind to read: mostly one that is given, or that a rule written before derives."""
        likely = [k for k in self.readable if k.name in self.available]
        return self.rng.choice(likely if self.chance(0.7) else self.readable)

    def selection(self, kind: Declared, scope: Scope) -> str:
        text = kind.name
        if self.chance(0.25):
            own = Scope({f: kind.known(f) for f in kind.fields}, where=True)
            text += f" where {self.boolean(own, 1)}"
        held = set(scope.fields).union(*(k.fields for k in scope.aliases.values()))
        by = [f for f in kind.fields if f in held and self.chance(0.6 if FIELDS[f] == "id" else 0.15)]
        return text + (f" by {', '.join(by)}" if by else "")

    def window(self, scope: Scope) -> str:
        rng = self.rng
        way = rng.random()
        if way < 0.4:
            return ""
        if way < 0.7:
            lengths = self.lengths * 3 + [rng.choice((*DURATIONS, *DATES, *MONTHS))]
            lengths += [p for p in ("window", "span", "term") if p in self.parameters]
            lengths += ["grace"] * 4 if "grace" in scope.fields else []
            return f" within {rng.choice(lengths)}{rng.choice(('', ' inclusive'))}"
        if way < 0.85:
            return f" since {self.selection(self.read(), scope)}"
        return f" this {rng.choice(('day', 'month', 'year'))}"


def ruleset(rng: random.Random) -> str:
    """The text of a ruleset, valid by construction as far as a page of code can know."""
    return emit(Writer(rng).write())


def emit(node: Any, indent: int = 0) -> str:
    """YAML of mappings, lists and scalars, which stay as written unless YAML would read them otherwise."""
    pad = "  " * indent
    lines = []
    pairs = node.items() if isinstance(node, dict) else [("-", item) for item in node]
    for key, value in pairs:
        label = f"{pad}-" if key == "-" and isinstance(node, list) else f"{pad}{key}:"
        if isinstance(value, dict | list) and value:
            lines.append(f"{label}\n{emit(value, indent + 1)}")
        elif isinstance(value, dict | list):
            lines.append(f"{label} {{}}\n")
        else:
            quoted = value[0] in "\"'[]{}&*!|>%@`#" or ": " in value or " #" in value
            lines.append(f"{label} " + ("'" + value.replace("'", "''") + "'" if quoted else value) + "\n")
    return "".join(lines)


def reorder(text: str, rng: random.Random) -> str:
    """The same ruleset, its rules in another order."""
    tree = yaml.load(text, yaml.BaseLoader)
    names = list(tree["rules"])
    rng.shuffle(names)
    return emit({**tree, "rules": {name: tree["rules"][name] for name in names}})


def without_voids(text: str) -> str:
    """The same ruleset without its void rules; nothing where no rule is left."""
    tree = yaml.load(text, yaml.BaseLoader)
    rules = {name: rule for name, rule in tree["rules"].items() if "void" not in rule}
    return emit({**tree, "rules": rules}) if rules else ""


# Histories.


def history(rng: random.Random, ruleset: Ruleset, size: int) -> list[Fact]:
    """Input facts that collide, at the instants at which the ruleset's windows end.

    Parameters
    ----------
    rng : random.Random
        The source of chance.
    ruleset : Ruleset
        What the facts are for.
    size : int
        About how many facts.

    Returns
    -------
    list of Fact
        In no order; some of them twice.
    """
    given = [kind for kind in ruleset.kinds if kind.given]
    zone = ruleset.zone
    lengths = [*dict.fromkeys(_lengths(ruleset)), HOUR, DAY]
    anchors = [zone.parse(rng.choice(TIMES)), *_bounds(ruleset)]
    anchors = rng.sample(anchors, min(len(anchors), rng.choice((1, 1, 2, 4))))
    if rng.random() < 0.15:
        anchors = [_change(rng, zone) or anchors[0]]
    if rng.random() < 0.02:  # The first and last instants that there are.
        anchors = [rng.choice((zone.earliest + rng.randint(0, 400) * DAY, zone.latest - rng.randint(0, 400) * DAY))]
    subjects = SUBJECTS[: rng.choice((1, 1, 1, 4, 5, 7))]
    facts: list[Fact] = []
    favourite = rng.choice(given)
    huge = 0.4 if rng.random() < 0.12 else 0.01
    windows = [*_windows(ruleset), DAY]
    for _ in range(size):
        if facts and rng.random() < 0.35:  # The same or nearly, a window later.
            former = rng.choice(facts)
            at = _near(rng, zone, former.at, [rng.choice(windows)], 1)
            values = tuple(
                _value(rng, f, anchors, lengths, huge) if rng.random() < 0.2 else value
                for f, value in zip(former.kind.fields, former.values, strict=True)
            )
            facts.append(replace(former, at=at, known_at=at, values=values, seq=0))
            continue
        at = _near(rng, zone, rng.choice(anchors), lengths)
        if rng.random() < 0.85:
            anchors.append(at)
        known_at = at
        if rng.random() < 0.2:
            known_at = _near(rng, zone, rng.choice(anchors), lengths)
        kind = favourite if rng.random() < 0.35 else rng.choice(given)
        values = tuple(_value(rng, f, anchors, lengths, huge) for f in kind.fields)
        seq = rng.choice((0, 0, 0, 1, 2, -1)) if rng.random() < 0.3 else 0
        facts.append(Fact(kind, at, rng.choice(subjects), values, seq, known_at))
        if rng.random() < 0.06:
            facts.append(replace(facts[-1], known_at=_near(rng, zone, at, lengths)))
    rng.shuffle(facts)
    return facts


def _lengths(part: object) -> Iterator[int | Period]:
    """Every duration and period that a ruleset writes."""
    if isinstance(part, Ruleset):
        for parameter in part.parameters:
            for value in [parameter.value, *(v for _, v in parameter.dated)]:
                if isinstance(value, Period) or (parameter.type.name == "duration" and isinstance(value, int)):
                    yield value
        yield from _lengths((part.rules, part.void_rules))
    elif isinstance(part, tuple):
        for one in part:
            yield from _lengths(one)
    elif isinstance(part, Literal):
        if isinstance(part.value, Period) or (part.type.name == "duration" and isinstance(part.value, int)):
            yield part.value
    elif is_dataclass(part) and not isinstance(part, (Span, Kind)):
        for f in fields(part):
            yield from _lengths(getattr(part, f.name))


def _windows(ruleset: Ruleset) -> Iterator[int | Period]:
    """The lengths of the windows of a ruleset, where they are literals or parameters."""
    for rule in (*ruleset.rules, *ruleset.void_rules):
        for expression in rule_expressions(rule):
            for node in walk(expression):
                if isinstance(node, Aggregate) and isinstance(node.window, Within):
                    yield from _lengths(node.window.length)
                    if isinstance(node.window.length, ParameterValue):
                        yield from _lengths(replace(ruleset, rules=(), void_rules=(), kinds_by_name={}))


def _bounds(ruleset: Ruleset) -> list[int]:
    """The instants that a ruleset names: `from`, `until`, the dates of parameters."""
    found = [i for rule in ruleset.rules for i in (rule.starts, rule.ends) if i is not None]
    return found + [start for parameter in ruleset.parameters for start, _ in parameter.dated]


def _change(rng: random.Random, zone: Zone) -> int | None:
    """An instant of three years at which the zone's clocks change; over midnight, where they ever did."""
    first = zone.parse("2008-01-01" if zone.name == "America/St_Johns" else "2014-01-01")
    days = [first + n * DAY for n in range(1096)]
    changing = [day for day in days if zone.offset(day) != zone.offset(day + DAY)]
    if not changing:
        return None
    low = rng.choice(changing)
    high = low + DAY
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if zone.offset(middle) != zone.offset(low) else (middle, high)
    return high


def _near(rng: random.Random, zone: Zone, anchor: int, lengths: Sequence[int | Period], forward: int = 0) -> int:
    """An instant that stands in some sharp relation to another; `forward`, at the end of a window that it begins."""
    way, sign, length = rng.random(), rng.choice((1, 1, -1)), rng.choice(lengths)
    way, sign = (0.5, 1) if forward else (way, sign)
    try:
        if way < 0.25:
            instant = anchor
        elif way < 0.6 and isinstance(length, Period):
            period = Period("dates", length.count) if length.unit == "workdays" else length
            instant = add_period(zone, None, anchor, period, 1 if sign == 1 else -1)
        elif way < 0.6 and isinstance(length, int):
            instant = anchor + sign * length if abs(length) < 400 * DAY else anchor
        elif way < 0.7:
            instant = zone.start_of_day(zone.checked_instant(anchor + rng.randint(0, 2) * DAY))
        elif way < 0.75:
            instant = zone.start_of_month(zone.checked_instant(anchor + rng.randint(0, 31) * DAY))
        else:
            instant = anchor + sign * rng.randint(0, 5) * rng.choice((HOUR, DAY, 12 * HOUR))
        return zone.checked_instant(instant + rng.choice((0, 0, 0, 0, 1, -1)))
    except ArithmeticFault:
        return anchor


def _value(rng: random.Random, f: Field, anchors: Sequence[int], lengths: Sequence[int | Period], huge: float) -> Value:
    type_, members = f.type.name, f.type.members
    if not f.required and rng.random() < 0.4:
        return f.default
    if members:
        return rng.choice(members)
    if type_ == "integer":
        edges = (INTEGER_MAX, INTEGER_MAX - 1, -INTEGER_MAX - 1, -INTEGER_MAX)
        return rng.choice(edges) if rng.random() < huge else rng.choice((0, 1, 1, 2, 2, 3, 4, 12, -1))
    if type_ == "duration":
        plain = [length for length in lengths if isinstance(length, int)]
        return (
            rng.choice((-HOUR, -DAY, INTEGER_MAX))
            if rng.random() < 0.07 + huge / 2
            else rng.choice(plain) + rng.choice((0, 0, 1))
        )
    choices: dict[str, Sequence[Value]] = {
        "time": anchors,
        "boolean": (True, False),
        "id": IDS,
        "text": TEXTS,
    }
    return rng.choice(choices[type_])


def instants(rng: random.Random, facts: Sequence[Fact]) -> int | None:
    """An `as_of` worth trying: none, or an instant at which something happens, or just beside it."""
    if not facts or rng.random() < 0.6:
        return None
    fact = rng.choice(facts)
    return rng.choice((fact.at, fact.known_at)) + rng.choice((-1, 0, 0, 1, DAY))


# Shrinking.


def chance() -> strategies.SearchStrategy[random.Random]:
    """A source of chance under Hypothesis' control, for `history`: what fails with it shrinks."""
    return strategies.randoms(use_true_random=False)


def reduce(text: str, facts: list[Fact], fails: Callable[[str, list[Fact]], bool]) -> tuple[str, list[Fact]]:
    """A smaller ruleset text and history that still fail: rules and facts are left out one by one, while that helps."""
    tree = yaml.load(text, yaml.BaseLoader)
    changed = True
    while changed:
        changed = False
        for name in list(tree["rules"]):
            smaller = {**tree, "rules": {n: r for n, r in tree["rules"].items() if n != name}}
            if smaller["rules"] and fails(emit(smaller), facts):
                tree, changed = smaller, True
        for place in reversed(range(len(facts))):
            fewer = facts[:place] + facts[place + 1 :]
            if fails(emit(tree), fewer):
                facts, changed = fewer, True
    return emit(tree), facts
