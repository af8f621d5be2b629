"""Explanations in words: a proof, or why a kind was not derived, as a tree of short texts in zh or en."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..facts import Fact, Value
from ..model import Rule, Ruleset
from .history import field_value
from .proof import LeftOut, Node, NotDerived, ProofRecord, Stand, Tally, Term, Trial, decisive
from .tell_values import Values, leaves, plain
from .tree import Branch, visible
from .words import Words

MOST_COUNTED = 12
"""How many facts counted are shown of each aggregate."""

MOST_LEFT_OUT = 3
"""How many facts left out are shown of each aggregate."""

_EVIDENT = ("literal", "now")
_SUMMING = ("sum", "min", "max", "first", "last")


@dataclass(frozen=True, slots=True)
class Known:
    """What the reader has just seen of a fact: fields with their values, and the instant."""

    fields: frozenset[tuple[str, Value]]
    at: int | None

    @classmethod
    def of(cls, fact: Fact) -> Known:
        """All of another fact."""
        names = (field.name for field in fact.kind.fields)
        return cls(frozenset(zip(names, fact.values, strict=True)), fact.at)


NOTHING = Known(frozenset(), None)


class Teller:
    """Puts an explanation into words; each derived fact's reasons once, later mentions refer back.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset explained.
    language : str
        `zh` or `en`.
    depth : int, optional
        How many derived facts deep reasons are told; without it, all.
    """

    def __init__(self, ruleset: Ruleset, language: str, depth: int | None = None) -> None:
        self.depth = depth
        self.level = 0
        self.words = Words(ruleset, language)
        self.say = self.words.say
        self.values = Values(self.words)
        self.nodes: dict[int, Node] = {}
        self.numbers: dict[int, int] = {}
        self.seen: set[int] = set()
        self.titled: set[int] = set()
        self.named: set[str] = set()
        self.missed: set[tuple[Fact, str]] = set()

    # Proofs.

    def proof(self, proof: ProofRecord) -> list[Branch]:
        """A proof: what it is about, then a tree for each fact asked about."""
        self.nodes = {node.stand.place: node for node in proof.nodes}
        lines = self._about(self.say("why"), proof.ruleset, proof.subject, proof.as_of)
        if proof.status is not None:
            status, since = proof.status
            kind = proof.ruleset.kinds_by_name.get(status)
            shown = self.words.kind(kind) if kind is not None else status
            at = "" if since is None else self.words.instant(since)
            lines.append(self.say("status-since" if at else "status", status=shown, at=at))
        roots = [Branch(line) for line in lines]
        roots.extend(self._fact(root, "") for root in proof.roots)
        if proof.unexplained:
            roots.append(
                Branch(
                    "… "
                    + self.say(
                        "more-unexplained-one" if proof.unexplained == 1 else "more-unexplained",
                        number=proof.unexplained,
                    )
                )
            )
        return roots

    def _about(self, what: str, ruleset: Ruleset, subject: str, as_of: int) -> list[str]:
        words = self.words
        title = words.title(ruleset.title)
        named = f"{ruleset.name} {ruleset.version}".strip()
        first = [what, f"{ruleset.subject} {visible(subject)}", f"{title} ({named})" if title else named]
        second = [self.say("as-of", at=words.instant(as_of)), self.say("times", zone=ruleset.zone.name)]
        return [" · ".join(first), " · ".join(second)]

    def _fact(self, stand: Stand, mark: str, known: Known = NOTHING, extra: str = "") -> Branch:
        """A fact; where it is derived and comes for the first time, with its reasons."""
        node = self.nodes.get(stand.place)
        if stand.place in self.seen:
            number = self.numbers.get(stand.place)
            see = "" if number is None else f" · {self.say('see', number=number)}"
            return Branch(f"{mark}{self.words.short(stand.fact)}{extra}{see}")
        self.seen.add(stand.place)
        text = self._full(stand.fact, known)
        if stand.given:
            return Branch(f"{mark}{text} · {self.say('given')}")
        if node is None or not node.reasons:
            return Branch(f"{mark}{text}" + (f" · {self.say('unexplained')}" if self.nodes else ""))
        if self.depth is not None and self.level >= self.depth:
            self.seen.discard(stand.place)
            return Branch(f"{mark}{text}")
        number = self.numbers[stand.place] = len(self.numbers) + 1
        self.level += 1
        children = tuple(self._reasons(node, stand.fact))
        self.level -= 1
        return Branch(f"{mark}[{number}] {text}", children)

    def _reasons(self, node: Node, fact: Fact) -> Iterator[Branch]:
        """The rules that gave a fact: one without a branch of its own."""
        first, *others = node.reasons
        head = self.say("rule", rule=self._rule(first.rule))
        if not others:
            yield Branch(head)
            yield from self._trial(first, fact)
            return
        yield Branch(head, tuple(self._trial(first, fact)))
        for trial in others:
            yield Branch(self.say("also", rule=self._rule(trial.rule)), tuple(self._trial(trial, fact)))

    def _full(self, fact: Fact, known: Known = NOTHING) -> str:
        """A fact with its fields, but for those just seen; its kind's title comes once."""
        titled = fact.kind.index not in self.titled
        self.titled.add(fact.kind.index)
        return self.words.full(fact, known.fields, titled, known.at)

    def _rule(self, rule: Rule) -> str:
        """A rule, with its title, clause and place where it comes for the first time."""
        if rule.name in self.named:
            return rule.name
        self.named.add(rule.name)
        return self.words.rule(rule)

    # Trials.

    def _trial(self, trial: Trial, about: Fact) -> Iterator[Branch]:
        """What a rule was tried on and what each part came to."""
        trigger = self._fact(trial.trigger, "", Known.of(about))
        yield Branch(self.say("when", fact=trigger.text), trigger.children)
        yield from self._parts(trial)

    def _parts(self, trial: Trial) -> Iterator[Branch]:
        words = self.words
        for join in trial.joined:
            if join.stand is None:
                text = "✗ " + self.say("no-join", text=join.text)
                yield Branch(text, tuple(self._tally_lines(join.tally, (), None)))
            else:
                fact = self._fact(join.stand, "")
                yield Branch(self.say("with", alias=join.alias, fact=fact.text), fact.children)
        yield from self._conditions(trial)
        climb = trial.climb
        if climb is not None:
            values = self.say("before-now", before=self.values.value(climb.before), now=self.values.value(climb.now))
            if trial.stage == "fired":
                mark, what = "✓", self.say("ladder-reached", step=climb.crossed)
            elif trial.stage in ("other-step", "once"):
                mark, what = "✗", self.say("ladder-once")
                if trial.stage == "other-step":
                    reached = self.say("ladder-other", step=climb.crossed)
                    what = words.join([reached, self._next_step(climb.now, climb.thresholds)])
            else:
                mark, what = "✗", self._next_step(climb.now, climb.thresholds)
            text = f"{mark} {climb.now.text}{self.say('colon')}{values}{self.say('comma')}{what}"
            yield Branch(text, tuple(self._tallies(climb.now)))
        for name, term in trial.lets:
            yield self._let(name, term)
        given = [f"{g.field} = {self.values.value(g.term)}" for g in trial.gives if not g.carried]
        if given:
            tallies = [b for g in trial.gives for b in self._tallies(g.term)]
            yield Branch(self.say("gives", text=words.join(given)), tuple(tallies))
        if trial.scheduled is not None:
            at = f"{self.values.value(trial.scheduled)} = {trial.scheduled.text}{self.values.of(trial.scheduled)}"
            yield Branch(self.say("due", at=at), tuple(self._tallies(trial.scheduled)))
        if trial.stage == "fault":
            yield Branch("✗ " + self.say("fault", text=trial.message))

    def _next_step(self, now: Term, thresholds: Sequence[int]) -> str:
        value = now.value
        above = next((t for t in thresholds if isinstance(value, int) and t > value), None)
        if above is None or not isinstance(value, int):
            return self.say("ladder-none")
        return self.say("ladder-next", step=above, short=above - value)

    def _conditions(self, trial: Trial) -> Iterator[Branch]:
        """The parts of `if`; those that hold and need no word more share a line."""
        plain: list[str] = []
        for term in trial.conditions:
            values, tallies = self.values.of(term), tuple(self._tallies(term))
            if term.value and not values and not tallies:
                plain.append(term.text)
                continue
            if plain:
                yield Branch("✓ " + " and ".join(plain))
                plain = []
            if term.value:
                yield Branch(f"✓ {term.text}{values}", tallies)
            else:
                yield Branch(f"✗ {term.text}{values}{self.values.distance(term)}", tallies)
        if plain:
            yield Branch("✓ " + " and ".join(plain))

    def _let(self, name: str, term: Term) -> Branch:
        chosen = term.parts[-1] if term.form == "choice" and term.parts else term
        reasons = [p for p in term.parts[:-1] if p.value] if term.form == "choice" else []
        text = f"{name} = {self.values.value(term)}"
        if chosen.form != "literal" or reasons:
            text += f" · {chosen.text}{self.values.of(chosen)}"
        tallies = [b for part in (*reasons, chosen) for b in self._tallies(part)]
        for part in reasons:
            text += f" · if {part.text}{self.values.of(part)}"
        return Branch(text, tuple(tallies))

    # Tallies.

    def _tallies(self, term: Term) -> Iterator[Branch]:
        """What the aggregates in a term counted; of a `let` that is told where the `let` is."""
        for leaf in leaves(term):
            if leaf.tally is not None:
                yield self._tally(leaf, leaf.tally)

    def _tally(self, term: Term, tally: Tally) -> Branch:
        slot = tally.slot
        field = "" if slot is None else ".at" if slot < 0 else f".{tally.kind.fields[slot].name}"
        text = f"{term.name}({tally.kind.name}{field}) = {self.values.value(term)}{self._selection(tally)}"
        return Branch(text, tuple(self._tally_lines(tally, decisive(term), term)))

    def _selection(self, tally: Tally) -> str:
        """The key, condition and window of a selection, with the values they had."""
        words, parts = self.words, []
        if tally.key:
            parts.append(words.join([f"{name} {self.values.value(term)}" for name, term in tally.key]))
        if tally.where:
            parts.append(self.say("where", text=tally.where))
        if tally.begins is not None:
            at = self.say("from" if tally.inclusive else "after", at=words.instant(tally.begins))
            length = tally.length
            same = length is not None and length.form in _EVIDENT
            value = "" if length is None or same else f" = {self.values.value(length)}"
            parts.append(self.say("window-text", at=at, text=tally.window + value))
        elif tally.since is not None:
            parts.append(self.say("since", fact=words.dated(tally.since.fact)))
        elif tally.window.startswith("since"):
            parts.append(self.say("since-none", text=tally.window.removeprefix("since ")))
        return "".join(f" · {part}" for part in parts)

    def _tally_lines(self, tally: Tally, counted: Sequence[Stand], term: Term | None) -> Iterator[Branch]:
        known = Known(frozenset((name, plain(key)) for name, key in tally.key), None)
        for stand in counted[:MOST_COUNTED]:
            extra = ""
            if term is not None and term.name in _SUMMING and tally.slot is not None and tally.slot >= 0:
                field = tally.kind.fields[tally.slot]
                extra = f" · {field.name} {self.words.value(field.type, field_value(stand, tally.slot))}"
            yield self._fact(stand, "✓ ", known, extra)
        if len(counted) > MOST_COUNTED:
            yield Branch("… " + self.say("more-counted", number=len(counted) - MOST_COUNTED))
        for missed in tally.not_derived:
            yield self._missed(missed)
        shown = list(_telling(tally.left_out))
        for left in shown:
            yield self._left_out(left)
        if tally.left_out_total > len(shown):
            yield Branch("… " + self.say("more-left", number=tally.left_out_total - len(shown)))

    def _left_out(self, left: LeftOut) -> Branch:
        causes = self.words.join([self.words.cause(cause) for cause in left.causes])
        return Branch(f"✗ {self.words.short(left.fact)} · {causes}")

    def _missed(self, missed: NotDerived) -> Branch:
        words = self.words
        text = f"✗ {words.short(missed.fact)} · "
        if missed.voided is not None:
            return Branch(text + words.cause(missed.voided))
        trial = missed.trial
        if trial is None:
            return Branch(text)
        shown = words.name_of(missed.kind)
        if (missed.fact, missed.rule.name) in self.missed:
            return Branch(text + self.say("brought-none-above", kind=shown))
        self.missed.add((missed.fact, missed.rule.name))
        why, children = self._short_reason(trial)
        return Branch(text + self.say("brought-none", kind=shown, rule=missed.rule.name, why=why), children)

    def _short_reason(self, trial: Trial) -> tuple[str, tuple[Branch, ...]]:
        """Why a rule did not fire, in short."""
        words, rule = self.words, trial.rule
        match trial.stage:
            case "not-in-force" if rule.starts is not None and trial.trigger.fact.at < rule.starts:
                return self.say("not-force-from", at=words.instant(rule.starts)), ()
            case "not-in-force" if rule.ends is not None:
                return self.say("not-force-until", at=words.instant(rule.ends)), ()
            case "join":
                return self.say("no-join", text=trial.joined[-1].text), ()
            case "condition":
                term = trial.conditions[-1]
                text = self.say("fails", text=term.text) + self.values.of(term)
                return text, tuple(self._blockers(term, trial.trigger.fact.at))
            case "ladder":
                return self.say("ladder-none"), ()
            case "once":
                return self.say("ladder-once"), ()
            case "other-step" if trial.climb is not None:
                return self.say("ladder-other", step=trial.climb.crossed), ()
            case "fault":
                return self.say("fault", text=trial.message), ()
            case _:
                return trial.stage, ()

    def _blockers(self, term: Term, now: int) -> Iterator[Branch]:
        """The facts for which `none` fails."""
        for leaf in leaves(term):
            if leaf.tally is not None and leaf.name == "none" and leaf.tally.counted:
                for stand in leaf.tally.counted[-2:]:
                    gap = self.say("earlier-by", length=self.words.length(now - stand.fact.at))
                    number = self.numbers.get(stand.place)
                    see = f" · {self.say('see', number=number)}" if number is not None else ""
                    yield Branch(f"{self.words.short(stand.fact)} · {gap}{see}")


def _telling(left_out: Sequence[LeftOut]) -> Iterator[LeftOut]:
    """Of facts left out those that tell most: of what merely lies too far back only the nearest."""
    shown = past = 0
    for left in left_out:
        past += any(cause.code in ("since", "window") for cause in left.causes)
        if shown < MOST_LEFT_OUT and past <= 1:
            shown += 1
            yield left
