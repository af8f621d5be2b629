"""A ruleset as a document: parameters, kinds, each rule in prose and as written, how they hang together, examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..comparison.prose import Prose
from ..facts import BOOLEAN, TIME, Kind, Titles
from ..gate.case_model import Case
from ..model import Derivation, Let, Parameter, Rule, Ruleset, Selection
from ..order import kinds_derived_now, kinds_read
from ..pictures.picture_rules import rules_picture
from ..speech.literals import literal
from .as_written import as_written, carried, conjuncts
from .blocks import Block, Bullets, Code, Figure, Heading, Listing, Paragraph, Table, Terms, Text, joined, text
from .examples import examples
from .policy_words import WORDS


def policy_document(ruleset: Ruleset, language: str = "en", cases: Sequence[Case] = ()) -> list[Block]:
    """A ruleset as a document.

    Parameters
    ----------
    ruleset : Ruleset
        The checked ruleset.
    language : str
        `zh` or `en`; where a title lacks one, the other is shown.
    cases : sequence of Case
        Cases of this ruleset, shown as examples.

    Returns
    -------
    list of Block
        Parameters, kinds of fact, rules in the order in which they run, how each reads each kind, and the examples;
        `markdown` and `page` write it.

    Examples
    --------
    >>> import strikeout
    >>> blocks = policy_document(strikeout.load("taobao-counterfeit").model)
    >>> blocks[0].text
    ('Taobao counterfeit sales: three strikes and points',)
    """
    return list(_Document(ruleset, language).blocks(cases))


class _Document:
    def __init__(self, ruleset: Ruleset, language: str) -> None:
        self.ruleset = ruleset
        self.zh = language == "zh"
        self.language = language
        self.prose = Prose(ruleset, language)

    def word(self, name: str, *values: object) -> str:
        """A word of the document's language."""
        return WORDS[name][0 if self.zh else 1].format(*values)

    def title(self, titles: Titles) -> str:
        """A text in the document's language, else in the other."""
        found = dict(titles)
        return (found.get(self.language) or next(iter(found.values()), "")).strip()

    def headed(self, titles: Titles) -> str:
        """A title as it stands in a heading."""
        found = self.title(titles)
        return found[:1].upper() + found[1:]

    def section(self, word: str) -> Heading:
        """The heading of a section."""
        return Heading(2, text(self.word(word)), word)

    def codes(self, names: Iterable[str]) -> Text:
        """Names in a list."""
        return joined(self.word("list"), ((Code(name),) for name in names))

    def kind(self, kind: Kind) -> Text:
        """A kind: its name, and its title in brackets."""
        told = self.title(kind.title)
        return text(Code(kind.name), self.word("title", "", told) if told else "")

    def note(self, titles: Titles) -> Iterator[Block]:
        """A note as a paragraph of its own."""
        told = self.title(titles)
        if told:
            yield Paragraph(text(told))

    def blocks(self, cases: Sequence[Case]) -> Iterator[Block]:
        """All of the document."""
        ruleset = self.ruleset
        yield Heading(1, text(self.headed(ruleset.title) or Code(ruleset.name)), "top")
        pairs: list[tuple[str, list[Text]]] = [(self.word("name"), [text(Code(ruleset.name))])]
        if ruleset.version:
            pairs.append((self.word("version"), [text(ruleset.version)]))
        pairs.append((self.word("subject"), [text(Code(ruleset.subject))]))
        pairs.append((self.word("zone"), [text(ruleset.zone.name)]))
        if ruleset.calendar is not None:
            pairs.append((self.word("calendar"), [text(ruleset.calendar.name)]))
        if ruleset.terminal is not None:
            before, after = self.word("terminal note", "\0").split("\0")
            pairs.append((self.word("terminal"), [text(before, self.kind(ruleset.terminal), after)]))
        yield Terms.of(pairs)
        yield from self.note(ruleset.note)
        if ruleset.parameters:
            yield self.section("parameters")
            heads = [self.word(word) for word in ("parameter", "value", "meaning")]
            yield Table.of(heads, [self.parameter(parameter) for parameter in ruleset.parameters])
        if ruleset.rules:
            yield self.section("rules")
        for number, rule in enumerate(ruleset.rules, 1):
            yield from self.rule(rule, f"{number}. ", f"rule-{number}")
        if ruleset.void_rules:
            yield self.section("voids")
            yield Paragraph(text(self.word("voids note")))
            for number, rule in enumerate(ruleset.void_rules, 1):
                yield from self.rule(rule, "", f"void-{number}")
        if ruleset.rules or ruleset.void_rules:
            yield self.section("diagram")
            yield Figure(rules_picture(ruleset, self.language).svg)
        yield from self.kinds()
        if ruleset.rules:
            yield from self.order()
        if ruleset.warnings:
            yield self.section("warnings")
            yield Bullets(tuple(text(str(problem)) for problem in ruleset.warnings))
        if cases:
            yield self.section("cases")
            yield Paragraph(text(self.word("cases note")))
            yield from examples(ruleset, self.language, cases)

    def parameter(self, parameter: Parameter) -> list[Text]:
        """A row of the table of parameters."""
        value: Text = text(Code(literal(self.ruleset, parameter.type, parameter.value)))
        if parameter.dated:
            dated = (
                text(
                    self.word("from", _short(self.ruleset.zone.format(start))),
                    self.word("colon"),
                    Code(literal(self.ruleset, parameter.type, constant)),
                )
                for start, constant in parameter.dated
            )
            value = joined("; ", dated)
        return [text(Code(parameter.name)), value, text(self.title(parameter.title))]

    # Kinds.

    def used(self) -> list[Kind]:
        """The kinds that the ruleset has to do with; of a shared vocabulary the others are left out."""
        rules = (*self.ruleset.rules, *self.ruleset.void_rules)
        used = {kind.index for rule in rules for kind in rule.triggers}
        used |= {index for rule in rules for index in kinds_read(rule)}
        used |= {derivation.kind.index for rule in rules for _, _, derivation in rule.derivations()}
        used |= {target.kind.index for rule in rules for target in rule.voids}
        return [kind for kind in self.ruleset.kinds if kind.index in used or kind is self.ruleset.terminal]

    def kinds(self) -> Iterator[Block]:
        """The kinds of fact."""
        yield self.section("kinds")
        heads = [self.word(word) for word in ("kind", "meaning", "origin", "status", "fields")]
        yield Table.of(heads, [self.kind_row(kind) for kind in self.used()])

    def kind_row(self, kind: Kind) -> list[Text]:
        """A row of the table of kinds."""
        rules = [rule.name for rule in self.ruleset.rules if any(d.kind is kind for _, _, d in rule.derivations())]
        origin: list[Text] = [text(self.word("given"))] if kind.given else []
        origin += [text(self.word("derived by"), self.codes(rules))] if rules else []
        status: list[Text] = [text(self.word(kind.effect, kind.severity))] if kind.effect else []
        if kind.ends is not None:
            ended = self.ruleset.kinds[kind.ends.kind]
            names = [kind.fields[slot].name for _, slot in kind.ends.slots]
            by = text(self.word("by"), self.codes(names)) if names else ()
            status.append(text(self.word("ends"), Code(ended.name), by))
        fields = []
        for field in kind.fields:
            more = ""
            if field.default is not None:
                more = f" = {literal(self.ruleset, field.type, field.default)}"
            elif not field.required:
                more = f" ({self.word('optional')})"
            fields.append(text(Code(field.name), f": {field.type}{more}"))
        return [
            text(Code(kind.name)),
            text(self.title(kind.title)),
            joined("; ", origin) or text(self.word("unused")),
            joined("; ", status),
            joined(", ", fields),
        ]

    # Rules.

    def rule(self, rule: Rule, number: str, anchor: str) -> Iterator[Block]:
        """A rule: its title, clauses and note, what it says in prose, and as written."""
        told = self.headed(rule.title)
        yield Heading(3, text(number, f"{told} · " if told else "", Code(rule.name)), anchor)
        if rule.cite:
            yield Paragraph(text(f"{self.word('cite')}{self.word('colon')}{rule.cite}"))
        yield from self.note(rule.note)
        yield Terms.of(self.parts(rule))
        if rule.ladder is not None:
            rows = [
                [text(str(threshold)), joined("; ", (self.derivation(rule, d) for d in derivations))]
                for threshold, derivations in rule.ladder.steps
            ]
            yield Table.of([self.word("threshold"), self.word("follows")], rows)
        yield Paragraph(text(self.word("as written")))
        yield Listing(tuple(as_written(rule)))

    def parts(self, rule: Rule) -> Iterator[tuple[str, list[Text]]]:
        """What a rule says, part by part."""
        prose, zone = self.prose, self.ruleset.zone
        held = [
            self.word(word, _short(zone.format(instant)))
            for word, instant in (("from", rule.starts), ("until", rule.ends))
            if instant is not None
        ]
        yield self.word("holds"), [text(self.word("list").join(held))] if held else []
        yield self.word("when"), [joined(self.word("or"), (self.kind(kind) for kind in rule.triggers))]
        joins = [self.split("with of", Code(join.alias), self.selection(join.selection)) for join in rule.joins]
        yield self.word("with"), joins
        yield self.word("if"), [text(prose.of(part)) for part in conjuncts(rule.condition)]
        yield self.word("let"), [self.let(let) for let in rule.lets]
        yield self.word("then"), [self.derivation(rule, derivation) for derivation in rule.then]
        if rule.ladder is not None:
            yield self.word("ladder"), [text(self.word("ladder of", prose.of(rule.ladder.of)))]
        voids = []
        for target in rule.voids:
            names = self.codes(target.kind.fields[slot].name for slot, _ in target.by)
            kind = self.kind(target.kind)
            voids.append(self.split("void of", names, kind) if names else kind)
        yield self.word("void"), voids

    def selection(self, selection: Selection) -> Text:
        """What a join looks for."""
        return text(self.prose.selection(selection))

    def let(self, let: Let) -> Text:
        """A named value."""
        word = "let holds" if let.value.type == BOOLEAN else "let of"
        return text(Code(let.name), self.word(word), self.prose.of(let.value))

    def split(self, word: str, *parts: Text | Code) -> Text:
        """A phrase with texts filled in."""
        marks = [f"\0{number}\0" for number in range(len(parts))]
        filled = self.word(word, *marks).split("\0")
        return text(*(parts[int(piece)] if place % 2 else piece for place, piece in enumerate(filled)))

    def derivation(self, rule: Rule, derivation: Derivation) -> Text:
        """What follows: the kind, the fields that are written out, and those that carry over."""
        told: list[Text] = []
        if derivation.at is not None:
            told.append(text(self.prose.say("due", self.prose.of(derivation.at))))
        for field, value in zip(derivation.kind.fields, derivation.values, strict=True):
            if value is not None and value.span != derivation.span:
                inner = self.prose.of(value, value.type != TIME)
                told.append(self.split("set", Code(field.name), text(f" {inner}" if self.zh else inner)))
        for source, names in carried(derivation).items():
            alias = "" if source is None else rule.joins[source].alias
            parts: list[Text | Code] = [self.codes(names), *([Code(alias)] if alias else [])]
            told.append(self.split("carried from" if alias else "carried", *parts))
        kind = self.kind(derivation.kind)
        return text(kind, self.word("colon"), joined("; ", told)) if told else kind

    # The order inside a step.

    def order(self) -> Iterator[Block]:
        """The strata, and how each rule reads each kind (semantics 5)."""
        yield self.section("order")
        yield Paragraph(text(self.word("order note")))
        kinds = self.ruleset.kinds
        rows: list[list[Text]] = []
        for rule in self.ruleset.rules:
            read, now = sorted(kinds_read(rule)), kinds_derived_now(rule)
            derived = sorted({d.kind.index for _, _, d in rule.derivations()})
            rows.append(
                [
                    text(str(rule.stratum)),
                    text(Code(rule.name)),
                    self.codes(kind.name for kind in rule.triggers),
                    self.codes(kinds[index].name for index in read if index not in rule.backward),
                    self.codes(kinds[index].name for index in read if index in rule.backward),
                    joined(
                        self.word("list"),
                        (text(Code(kinds[i].name), "" if i in now else self.word("later")) for i in derived),
                    ),
                ]
            )
        heads = [self.word(w) for w in ("stratum", "rule", "trigger", "forward", "backward", "derives")]
        yield Table.of(heads, rows)


def _short(instant: str) -> str:
    """An instant, as a date where it is midnight."""
    return instant[:10] if instant[10:].startswith("T00:00:00+") else instant
