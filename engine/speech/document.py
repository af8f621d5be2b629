"""A ruleset as a document a person can read: Markdown, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..facts import BOOLEAN, DURATION, TIME, Kind, Titles, Type
from ..ground.problems import Span
from ..ground.values import DAY, HOUR, MINUTE, SECOND
from ..model import Choice, Constant, Derivation, JoinedField, Let, Parameter, Rule, Ruleset
from ..order import kinds_derived_now, kinds_read

WORDS = {
    "name": ("规则集", "ruleset"),
    "version": ("版本", "version"),
    "subject": ("评判对象", "subject"),
    "zone": ("时区", "time zone"),
    "calendar": ("工作日历", "calendar"),
    "terminal": ("终局", "terminal"),
    "parameters": ("参数", "Parameters"),
    "parameter": ("参数", "parameter"),
    "value": ("值", "value"),
    "meaning": ("含义", "meaning"),
    "from": ("自 {} 起", "from {}"),
    "until": ("至 {} 止", "until {}"),
    "kinds": ("事实种类", "Kinds of fact"),
    "kind": ("种类", "kind"),
    "fields": ("字段", "fields"),
    "origin": ("来源", "given or derived"),
    "given": ("给出", "given"),
    "derived by": ("由 {} 推出", "derived by {}"),
    "unused": ("未用", "neither"),
    "status": ("状态", "status"),
    "lasting": ("持久，级别 {}", "lasting, severity {}"),
    "interval": ("至 `until` 止，级别 {}", "until `until`, severity {}"),
    "ends": ("终止 {}", "ends {}"),
    "by": ("，依 {}", " by {}"),
    "optional": ("可缺", "optional"),
    "rules": ("规则", "Rules"),
    "voids": ("作废", "What voids facts"),
    "voids note": (
        "先于一切规则，只据给出的事实判定。",
        "Decided before all rules, over given facts alone.",
    ),
    "cite": ("依据", "Clauses"),
    "holds": ("适用", "Holds"),
    "threshold": ("达到", "reaching"),
    "follows": ("结果", "what follows"),
    "ladder": ("阶梯，依 {}，只取新达到的最高一级：", "A ladder of {}; the highest step newly reached follows:"),
    "carried": ("沿用触发事实的 {}", "{} as in the trigger"),
    "carried from": ("沿用 {1} 的 {0}", "{} as in {}"),
    "order": ("一步之内的次序", "The order inside a step"),
    "order note": (
        "层数小的先行；同层以名称为序。次序由各规则所读所推算出，与文件中的先后无关。",
        "Lower strata first, names within one. The order follows from what rules read and derive, never from the file.",
    ),
    "stratum": ("层", "stratum"),
    "rule": ("规则", "rule"),
    "trigger": ("触发", "triggered by"),
    "forward": ("读，含本步所推", "reads, this step's included"),
    "backward": ("读，仅限此前各步", "reads, earlier steps only"),
    "derives": ("推出", "derives"),
    "later": ("{}（定时）", "{} (scheduled)"),
    "warnings": ("警告", "Warnings"),
}


def document(ruleset: Ruleset, language: str = "en") -> str:
    """The ruleset as Markdown.

    Parameters
    ----------
    ruleset : Ruleset
        The checked ruleset.
    language : str
        `zh` or `en`; where a title lacks one, the other is shown.

    Returns
    -------
    str
        The document: parameters, kinds of fact, rules in the order in which they run, and how each reads each kind.

    Examples
    --------
    >>> import strikeout
    >>> text = document(strikeout.load("taobao-counterfeit").model)
    >>> text.splitlines()[0]
    '# Taobao counterfeit sales: three strikes and points'
    """
    return "\n".join(_Document(ruleset, language).lines()).rstrip() + "\n"


def literal(ruleset: Ruleset, type_: Type, value: Constant | None) -> str:
    """A constant as the language writes it."""
    if value is None:
        return "–"
    if type_ == BOOLEAN:
        return "true" if value else "false"
    if type_ == DURATION and isinstance(value, int):
        units = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
        unit, length = next(((unit, length) for unit, length in units if value % length == 0), units[-1])
        return f"{value // length}{unit}"
    if type_ == TIME and isinstance(value, int):
        return ruleset.zone.format(value)
    return str(value)


class _Document:
    def __init__(self, ruleset: Ruleset, language: str) -> None:
        self.ruleset = ruleset
        self.language = language

    def word(self, name: str, *values: object) -> str:
        """A word of the document's language."""
        return WORDS[name][0 if self.language == "zh" else 1].format(*values)

    def title(self, titles: Titles) -> str:
        """A text in the document's language, else in the other."""
        found = dict(titles)
        return found.get(self.language) or next(iter(found.values()), "")

    def names(self, kinds: Iterable[Kind]) -> str:
        """Kinds by name."""
        return ", ".join(f"`{kind.name}`" for kind in kinds)

    def lines(self) -> Iterator[str]:
        """All lines of the document."""
        ruleset = self.ruleset
        yield f"# {self.title(ruleset.title) or ruleset.name}"
        yield ""
        calendar = ruleset.calendar.name if ruleset.calendar is not None else ""
        terminal = ruleset.terminal.name if ruleset.terminal is not None else ""
        for word, value in (
            ("name", ruleset.name),
            ("version", ruleset.version),
            ("subject", ruleset.subject),
            ("zone", ruleset.zone.name),
            ("calendar", calendar),
            ("terminal", terminal),
        ):
            if value:
                yield f"- {self.word(word)}: `{value}`"
        yield ""
        yield from self.paragraph(ruleset.note)
        if ruleset.parameters:
            yield f"## {self.word('parameters')}"
            yield ""
            headings = [self.word("parameter"), self.word("value"), self.word("meaning")]
            yield from table(headings, (self.parameter(parameter) for parameter in ruleset.parameters))
        yield f"## {self.word('kinds')}"
        yield ""
        headings = [self.word(word) for word in ("kind", "meaning", "origin", "status", "fields")]
        yield from table(headings, (self.kind(kind) for kind in self.kinds()))
        yield f"## {self.word('rules')}"
        yield ""
        for number, rule in enumerate(ruleset.rules, 1):
            yield from self.rule(rule, f"{number}. ")
        if ruleset.void_rules:
            yield f"## {self.word('voids')}"
            yield ""
            yield self.word("voids note")
            yield ""
            for rule in ruleset.void_rules:
                yield from self.rule(rule, "")
        yield from self.order()
        if ruleset.warnings:
            yield f"## {self.word('warnings')}"
            yield ""
            yield from (f"- {problem}" for problem in ruleset.warnings)

    def paragraph(self, titles: Titles) -> Iterator[str]:
        """A note as a paragraph of its own."""
        text = self.title(titles)
        if text:
            yield text.strip()
            yield ""

    def parameter(self, parameter: Parameter) -> list[str]:
        """A row of the table of parameters."""
        value = f"`{literal(self.ruleset, parameter.type, parameter.value)}`"
        if parameter.dated:
            dated = (
                (self.ruleset.zone.format(start), literal(self.ruleset, parameter.type, constant))
                for start, constant in parameter.dated
            )
            value = "; ".join(f"{self.word('from', start)}: `{text}`" for start, text in dated)
        return [f"`{parameter.name}`", value, self.title(parameter.title)]

    def kinds(self) -> list[Kind]:
        """The kinds that the ruleset has to do with; of a shared vocabulary the others are left out."""
        rules = (*self.ruleset.rules, *self.ruleset.void_rules)
        used = {kind.index for rule in rules for kind in rule.triggers}
        used |= {index for rule in rules for index in kinds_read(rule)}
        used |= {derivation.kind.index for rule in rules for _, _, derivation in rule.derivations()}
        used |= {target.kind.index for rule in rules for target in rule.voids}
        return [kind for kind in self.ruleset.kinds if kind.index in used or kind is self.ruleset.terminal]

    def kind(self, kind: Kind) -> list[str]:
        """A row of the table of kinds."""
        rules = [
            f"`{rule.name}`" for rule in self.ruleset.rules if any(d.kind is kind for _, _, d in rule.derivations())
        ]
        origin = [self.word("given")] if kind.given else []
        origin += [self.word("derived by", ", ".join(rules))] if rules else []
        status = [self.word(kind.effect, kind.severity)] if kind.effect else []
        if kind.ends is not None:
            ended = self.ruleset.kinds[kind.ends.kind]
            names = ", ".join(f"`{kind.fields[slot].name}`" for _, slot in kind.ends.slots)
            status.append(self.word("ends", f"`{ended.name}`") + (self.word("by", names) if names else ""))
        fields = []
        for field in kind.fields:
            text = f"`{field.name}`: {field.type}"
            if field.default is not None:
                text += f" = {literal(self.ruleset, field.type, field.default)}"
            elif not field.required:
                text += f" ({self.word('optional')})"
            fields.append(text)
        return [
            f"`{kind.name}`",
            self.title(kind.title),
            "; ".join(origin) or self.word("unused"),
            "; ".join(status),
            ", ".join(fields),
        ]

    # Rules.

    def rule(self, rule: Rule, number: str) -> Iterator[str]:
        """A rule: its title, clauses and note, and what it says."""
        yield f"### {number}`{rule.name}`"
        yield ""
        yield from self.paragraph(rule.title)
        if rule.cite:
            yield f"{self.word('cite')}: {rule.cite}"
            yield ""
        yield from self.paragraph(rule.note)
        held = [
            self.word(word, f"`{self.ruleset.zone.format(instant)}`")
            for word, instant in (("from", rule.starts), ("until", rule.ends))
            if instant is not None
        ]
        if held:
            yield f"{self.word('holds')}: {', '.join(held)}"
            yield ""
        yield "```"
        yield from self.code(rule)
        yield "```"
        yield ""
        if rule.ladder is not None:
            yield self.word("ladder", f"`{_text(rule.ladder.of.span)}`")
            yield ""
            rows = (
                [str(threshold), "; ".join(self.derivation(rule, derivation) for derivation in derivations)]
                for threshold, derivations in rule.ladder.steps
            )
            yield from table([self.word("threshold"), self.word("follows")], rows)

    def code(self, rule: Rule) -> Iterator[str]:
        """What a rule says, as written."""
        yield f"when  {' or '.join(kind.name for kind in rule.triggers)}"
        for join in rule.joins:
            yield f"with  {join.alias}: {_text(join.selection.span)}"
        for let in rule.lets:
            yield from self.let(let)
        if rule.condition is not None:
            yield from _labelled("if", rule.condition.span)
        for derivation in rule.then:
            yield f"then  {self.derivation(rule, derivation).replace('`', '')}"
        for target in rule.voids:
            yield f"void  {_text(target.span)}"

    def let(self, let: Let) -> Iterator[str]:
        """A named value; one with branches has a line for each."""
        if not isinstance(let.value, Choice) or let.value.span != let.span:
            yield from _labelled(f"let   {let.name} =", let.value.span)
            return
        yield f"let   {let.name} ="
        for condition, value in let.value.branches:
            tail = f"  if {_text(condition.span)}" if condition is not None else ""
            yield f"        {_text(value.span)}{tail}"

    def derivation(self, rule: Rule, derivation: Derivation) -> str:
        """What is derived: the kind, fields with expressions of their own, and those that carry over."""
        given: list[str] = []
        carried: dict[int | None, list[str]] = {}
        for field, value in zip(derivation.kind.fields, derivation.values, strict=True):
            if value is None:
                continue
            if value.span == derivation.span:
                source = value.join if isinstance(value, JoinedField) else None
                carried.setdefault(source, []).append(f"`{field.name}`")
            else:
                given.append(f"`{field.name}` = `{_text(value.span)}`")
        if derivation.at is not None:
            given.insert(0, f"`at` = `{_text(derivation.at.span)}`")
        for source, names in carried.items():
            alias = "" if source is None else f"`{rule.joins[source].alias}`"
            given.append(self.word("carried from" if alias else "carried", ", ".join(names), alias))
        return f"`{derivation.kind.name}`" + (f" ({'; '.join(given)})" if given else "")

    def order(self) -> Iterator[str]:
        """The strata, and how each rule reads each kind (semantics 5)."""
        yield f"## {self.word('order')}"
        yield ""
        yield self.word("order note")
        yield ""
        kinds = self.ruleset.kinds
        rows = []
        for rule in self.ruleset.rules:
            read = sorted(kinds_read(rule))
            now = kinds_derived_now(rule)
            derived = {d.kind.index for _, _, d in rule.derivations()}
            rows.append(
                [
                    str(rule.stratum),
                    f"`{rule.name}`",
                    self.names(rule.triggers),
                    self.names(kinds[index] for index in read if index not in rule.backward),
                    self.names(kinds[index] for index in read if index in rule.backward),
                    ", ".join(
                        f"`{kinds[index].name}`" if index in now else self.word("later", f"`{kinds[index].name}`")
                        for index in sorted(derived)
                    ),
                ]
            )
        yield from table([self.word(w) for w in ("stratum", "rule", "trigger", "forward", "backward", "derives")], rows)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    r"""A Markdown table, and an empty line.

    >>> list(table(["a"], [["b|c"]]))
    ['| a |', '| --- |', '| b\\|c |', '']
    """
    yield f"| {' | '.join(headings)} |"
    yield f"|{'|'.join(' --- ' for _ in headings)}|"
    for row in rows:
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _text(span: Span) -> str:
    return " ".join(span.text.split())


def _labelled(label: str, span: Span) -> Iterator[str]:
    """A text as written behind a label, its further lines indented."""
    first, *rest = span.text.strip().split("\n")
    yield f"{label:<5} {first.strip()}"
    yield from (f"        {line.strip()}" for line in rest if line.strip())
