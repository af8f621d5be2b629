"""How the rules of a ruleset hang together: kinds and rules, stratum after stratum, and what voids facts."""

from __future__ import annotations

from strikeout.graphs.draw_layers import Box, Link
from strikeout.graphs.draw_rules import Part, RulesPicture, draw_rules
from strikeout.graphs.draw_text import clean

from ..facts import Kind
from ..model import Rule, Ruleset
from ..order import kinds_derived_now, kinds_read
from .picture import Pen, Picture, Table, look_of


def rules_picture(ruleset: Ruleset, language: str) -> Picture:
    """The rule dependency graph of a ruleset (semantics 5).

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    language : str
        `zh` or `en`.
    """
    return _Rules(ruleset, language).picture()


class _Rules:
    def __init__(self, ruleset: Ruleset, language: str) -> None:
        self.ruleset = ruleset
        self.pen = Pen(ruleset, language)
        self.strata = sorted({rule.stratum for rule in ruleset.rules})

    def picture(self) -> Picture:
        """The picture with its table."""
        pen = self.pen
        ruleset = clean(pen.words.title(self.ruleset.title) or self.ruleset.name)
        title = pen.say("rules", ruleset=ruleset)
        rules = len(self.ruleset.rules) + len(self.ruleset.void_rules)
        subtitle = pen.say("rules-subtitle", rules=rules, strata=len(self.strata))
        parts = [self.main()] if self.ruleset.rules else []
        if self.ruleset.void_rules:
            parts.append(self.voids())
        looks = (
            ("bar:given", "key-given"),
            ("bar:box", "key-derived"),
            ("bar:firing", "key-rule"),
            ("line:strong", "key-trigger"),
            ("line:dashed", "key-forward"),
            ("line:dotted", "key-backward"),
        )
        key = tuple((look, pen.say(phrase)) for look, phrase in looks)
        svg = draw_rules(RulesPicture(title, subtitle, subtitle, tuple(parts), key))
        return Picture(svg, title, subtitle, (), (self.table(),), pen.language)

    def box(self, kind: Kind, layer: int) -> Box:
        """A kind as a box."""
        pen = self.pen
        notes = [pen.title_of(kind)] if pen.title_of(kind) else []
        if kind.ends is not None:
            notes.append(pen.say("ends", kind=pen.kind(self.ruleset.kinds[kind.ends.kind])))
        look = look_of(self.ruleset, kind) if kind.effect else "given" if kind.given else "box"
        title = clean(pen.words.kind(kind))
        return Box(layer, pen.kind(kind), look, tuple(notes), title, bold=bool(kind.effect))

    def rule(self, rule: Rule, layer: int) -> Box:
        """A rule as a box."""
        pen = self.pen
        title = clean(pen.words.title(rule.title))
        return Box(
            layer, clean(rule.name), "firing", (title,) if title else (), clean(pen.words.rule(rule)), round=True
        )

    def main(self) -> Part:
        """The rules that run inside steps, with the kinds that they read and derive."""
        kinds: dict[int, int] = {}
        layers: dict[int, int] = {}
        for rule in self.ruleset.rules:
            layer = 1 + 2 * self.strata.index(rule.stratum)
            for index in kinds_derived_now(rule):
                layers[index] = max(layers.get(index, 0), layer + 1)
            later = {d.kind.index for _, _, d in rule.derivations() if d.at is not None}
            for index in sorted({kind.index for kind in rule.triggers} | kinds_read(rule) | later):
                layers.setdefault(index, 0)
        boxes: list[Box] = []
        for index in sorted(layers):
            kinds[index] = len(boxes)
            boxes.append(self.box(self.ruleset.kinds[index], layers[index]))
        links: list[Link] = []

        def link(kind: int, rule: int, into_rule: bool, look: str) -> None:
            """A link between a kind and a rule, from whichever stands further left."""
            if boxes[kinds[kind]].layer < boxes[rule].layer:
                links.append(Link(kinds[kind], rule, look, back=not into_rule))
            else:
                links.append(Link(rule, kinds[kind], look, back=into_rule))

        for rule in self.ruleset.rules:
            place = len(boxes)
            boxes.append(self.rule(rule, 1 + 2 * self.strata.index(rule.stratum)))
            for kind in rule.triggers:
                link(kind.index, place, True, "strong")
            for index in sorted(kinds_read(rule)):
                link(index, place, True, "dotted" if index in rule.backward else "dashed")
            for index in sorted(kinds_derived_now(rule)):
                link(index, place, False, "strong")
            for index in sorted({d.kind.index for _, _, d in rule.derivations() if d.at is not None}):
                link(index, place, False, "dotted")
        pen = self.pen
        headings = [pen.say("kinds-first")]
        for stratum in self.strata:
            headings += [pen.say("stratum", number=stratum), pen.say("kinds-derived")]
        last = max(box.layer for box in boxes)
        return Part("", tuple(headings[: last + 1]), tuple(boxes), tuple(links))

    def voids(self) -> Part:
        """The rules that void facts."""
        pen = self.pen
        boxes: list[Box] = []
        links: list[Link] = []
        places: dict[tuple[int, int], int] = {}

        def place(kind: Kind, layer: int) -> int:
            if (kind.index, layer) not in places:
                places[kind.index, layer] = len(boxes)
                boxes.append(self.box(kind, layer))
            return places[kind.index, layer]

        for rule in self.ruleset.void_rules:
            triggers = [place(kind, 0) for kind in rule.triggers]
            targets = [place(target.kind, 2) for target in rule.voids]
            own = len(boxes)
            boxes.append(self.rule(rule, 1))
            links += [Link(trigger, own) for trigger in triggers]
            links += [Link(own, target) for target in dict.fromkeys(targets)]
        headings = tuple(pen.say(name) for name in ("void-trigger", "void-rule", "void-target"))
        return Part(pen.say("void-part"), headings, tuple(boxes), tuple(links))

    def table(self) -> Table:
        """Each rule with what it reads and derives."""
        pen, kinds = self.pen, self.ruleset.kinds
        names = ("stratum", "rule", "trigger", "forward", "backward", "derives", "voids")
        headings = [pen.heading(name) for name in names]
        rows = []
        for rule in (*self.ruleset.rules, *self.ruleset.void_rules):
            read = sorted(kinds_read(rule))
            derived = sorted({d.kind.index for _, _, d in rule.derivations()})

            def listed(indices: list[int]) -> str:
                return pen.say("comma").join(pen.kind(kinds[index]) for index in indices)

            cells = (
                "" if rule.voids else rule.stratum,
                clean(rule.name),
                listed([kind.index for kind in rule.triggers]),
                listed([index for index in read if index not in rule.backward]),
                listed([index for index in read if index in rule.backward]),
                listed(derived),
                listed([target.kind.index for target in rule.voids]),
            )
            rows.append(dict(zip(headings, cells, strict=True)))
        return Table.of(pen.say("rules", ruleset=clean(self.ruleset.name)), headings, rows)
