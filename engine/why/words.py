"""The words of explanations in zh and en, and how values, facts and lengths of time are written for a person."""

from __future__ import annotations

from collections.abc import Collection

from ..facts import DURATION, ID, TIME, Fact, Kind, Titles, Type, Value
from ..ground.problems import RunError
from ..ground.values import DAY, HOUR, MINUTE, SECOND, ArithmeticFault, Period
from ..model import Constant, Rule, Ruleset
from .proof import Cause
from .tree import visible

_PHRASES: dict[str, tuple[str, str]] = {
    "also": ("也由规则 {rule}", "also by rule {rule}"),
    "as-of": ("截至 {at}", "as of {at}"),
    "before-now": ("此前 {before}，现为 {now}", "{before} before, {now} now"),
    "best": ("最接近的触发事实：{fact}", "nearest trigger: {fact}"),
    "best-of": ("最接近的触发事实（共 {number} 个）：{fact}", "nearest of {number} triggers: {fact}"),
    "brought-none": ("未生成{kind}，规则 {rule}：{why}", "brought no {kind}, rule {rule}: {why}"),
    "brought-none-above": ("未生成{kind}，见上", "brought no {kind}, as above"),
    "clause": ("依据 {cite}", "clause {cite}"),
    "clear": ("自 {at} 起，这些事实均不在期内", "from {at} on none of these is in the window"),
    "colon": ("：", ": "),
    "comma": ("，", ", "),
    "derived": ("已经成立：", "was derived after all:"),
    "due": ("排定于 {at}", "scheduled for {at}"),
    "earlier-by": ("在其前 {length}", "{length} before"),
    "fails": ("`{text}` 不成立", "`{text}` fails"),
    "fault": ("计算出错：{text}", "could not be computed: {text}"),
    "forward": ("再有 {number} 件{like}（{at}），即得 {brings}", "{number} more facts {like}, at {at}, bring {brings}"),
    "forward-one": ("再有一件{like}（{at}），即得 {brings}", "one more fact {like}, at {at}, brings {brings}"),
    "forward-like": ("与 {fact} 同类的事实", "like {fact}"),
    "forward-new": ("与 {fact} 同类、出自新的来源的事实", "like {fact}, from someone new"),
    "from": ("自 {at} 起", "from {at} on"),
    "after": ("晚于 {at}", "after {at}"),
    "given": ("输入", "given"),
    "gives": ("得出 {text}", "gives {text}"),
    "ladder-none": ("没有新达到的节点", "no step is newly reached"),
    "ladder-other": ("新达到的是节点 {step}，后果不同", "newly reaches the step {step}, which has other consequences"),
    "ladder-once": ("已由同一步的另一事实触发", "another fact of this step had fired the ladder"),
    "ladder-reached": ("新达到节点 {step}", "newly reaches the step {step}"),
    "ladder-next": ("下一节点 {step}，还差 {short}", "the next step is {step}, {short} short"),
    "missing": ("（缺）", "missing"),
    "more-counted": ("另有 {number} 件计入", "{number} more counted"),
    "more-left": ("另有 {number} 件未计入", "{number} more not counted"),
    "more-unexplained-one": (
        "另有 1 件事实的理由未展开",
        "the reasons of 1 more fact are not drawn; ask for it",
    ),
    "more-unexplained": (
        "另有 {number} 件事实的理由未展开",
        "the reasons of {number} more facts are not drawn; ask for one of them",
    ),
    "no-join": ("没有符合 `{text}` 的事实", "there is no `{text}`"),
    "no-rule": ("没有规则能得出 {kind}，只能作为输入", "no rule derives {kind}, it can only be given"),
    "no-trigger": ("没有 {kind}", "there is no {kind}"),
    "not-force-from": ("规则自 {at} 起施行", "the rule holds from {at} on"),
    "not-force-until": ("规则至 {at} 为止", "the rule held until {at}"),
    "of": ("{have}，需 {want}", "{have} of {want}"),
    "off": ("差 {length}", "off by {length}"),
    "or": ("或", "or"),
    "over": ("其时已有 {kind}（{at}），此后不再适用任何规则", "{kind} stood since {at}, after which no rule fires"),
    "pending": ("已排定：{fact}", "scheduled: {fact}"),
    "rule": ("规则 {rule}", "rule {rule}"),
    "see": ("见 [{number}]", "see [{number}]"),
    "since": ("自 {fact}起", "since {fact}"),
    "since-none": ("尚无 {text}，全部计入", "all, as there is no {text} yet"),
    "status": ("状态：{status}", "status: {status}"),
    "status-since": ("状态：{status}，自 {at} 起", "status: {status} since {at}"),
    "times": ("时间为 {zone} 当地时间", "times of {zone}"),
    "unexplained": ("理由未展开", "reasons not drawn"),
    "was-given": ("已作为输入：", "was given:"),
    "when": ("触发：{fact}", "when {fact}"),
    "where": ("限 {text}", "where {text}"),
    "why": ("缘由", "why"),
    "why-not": ("为何没有 {kind}", "why not {kind}"),
    "with": ("关联 {alias}：{fact}", "with {alias}: {fact}"),
    # Why a fact was not counted.
    "dated": ("{fact}（{at}）", "{fact} ({at})"),
    "window-text": ("{at}（{text}）", "{at} ({text})"),
    "key": ("{field} 为 {found}", "{field} is {found}"),
    "key-missing": ("缺 {field}", "{field} is missing"),
    "where-fails": ("不满足 `{text}`", "`{text}` fails"),
    "window": ("超出时限 {length}", "outside the window by {length}"),
    "window-edge": ("恰在时限起点，不在期内", "exactly where the window begins, which is not in it"),
    "before-since": ("在 {fact} 之前", "before {fact}"),
    "period": ("时限缺值", "the window has no length"),
    "same-step": ("属同一步，此规则只看此前各步", "of this very step, and the rule sees earlier steps only"),
    "voided": ("因 {fact}失效，规则 {rule}", "voided by {fact}, rule {rule}"),
    "unknown": ("至 {at} 才获知", "not known before {at}"),
}
"""Phrases: zh, en."""

_UNITS = ((DAY, "天", "d"), (HOUR, "小时", "h"), (MINUTE, "分钟", "min"), (SECOND, "秒", "s"))


class Words:
    """Writes for a person, in one language and a ruleset's time zone.

    Parameters
    ----------
    ruleset : Ruleset
        For its time zone and titles.
    language : str
        `zh` or `en`.
    """

    def __init__(self, ruleset: Ruleset, language: str) -> None:
        if language not in ("zh", "en"):
            raise RunError(f"`{language}` is no language of explanations; known are `zh` and `en`")
        self.ruleset = ruleset
        self.language = language

    def say(self, phrase: str, **parts: object) -> str:
        """A phrase with its parts filled in."""
        return _PHRASES[phrase][0 if self.language == "zh" else 1].format(**parts)

    def title(self, titles: Titles) -> str:
        """The title in the language, else in the other, else nothing."""
        found = dict(titles)
        return found.get(self.language) or next(iter(found.values()), "")

    def join(self, parts: list[str]) -> str:
        """Parts of a sentence, with the language's comma."""
        return self.say("comma").join(parts)

    def instant(self, at: int) -> str:
        """A time in the ruleset's zone, as precise as it is: `2015-02-21 11:15`, or the date alone at midnight."""
        try:
            text = self.ruleset.zone.format(at)
        except ArithmeticFault:
            return "∞" if at > 0 else "-∞"
        date, clock = text[:10], text[11:]
        clock = clock[: 15 if "." in clock else 8]
        if clock == "00:00:00":
            return date
        return f"{date} {clock.removesuffix(':00') if len(clock) == 8 else clock}"

    def day(self, at: int) -> str:
        """The local date of an instant."""
        return self.ruleset.zone.format(at)[:10]

    def length(self, duration: int) -> str:
        """A length of time: `12 d 6 h`; whole hours up to four days as hours, as rules write them."""
        sign, rest = ("-" if duration < 0 else ""), abs(duration)
        if rest % HOUR == 0 and DAY < rest <= 4 * DAY:
            return f"{sign}{rest // HOUR} {'小时' if self.language == 'zh' else 'h'}"
        shown = []
        for size, zh, en in _UNITS:
            number, rest = divmod(rest, size)
            if number:
                shown.append(f"{number:,} {zh if self.language == 'zh' else en}")
        if rest:
            shown.append(f"{rest} {'微秒' if self.language == 'zh' else 'µs'}")
        return sign + " ".join(shown or ["0"])

    def value(self, type_: Type, value: Constant | None) -> str:
        """A value as its type is written."""
        if value is None:
            return self.say("missing")
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Period):
            return str(value)
        if type_ == TIME:
            return self.instant(int(value))
        if type_ == DURATION:
            return self.length(int(value))
        return visible(str(value))

    def name(self, fact: Fact) -> str:
        """A fact in short: its kind and its first id; in zh by the kind's title."""
        called = self.name_of(fact.kind)
        first = self._first_id(fact)
        return called if first is None else f"{called} {visible(str(fact.values[first]))}"

    def name_of(self, kind: Kind) -> str:
        """A kind in short: in zh its title, in en its name."""
        return (dict(kind.title).get("zh") or kind.name) if self.language == "zh" else kind.name

    def short(self, fact: Fact) -> str:
        """A fact in short, with its instant."""
        return f"{self.name(fact)} · {self.instant(fact.at)}"

    def dated(self, fact: Fact) -> str:
        """A fact in short, with its instant in brackets."""
        return self.say("dated", fact=self.name(fact), at=self.instant(fact.at))

    def full(
        self,
        fact: Fact,
        known: Collection[tuple[str, Value]] = (),
        titled: bool = True,
        at: int | None = None,
    ) -> str:
        """A fact with its kind's title, its instant and fields.

        Parameters
        ----------
        fact : Fact
            The fact.
        known : collection of str and value
            Fields that the reader has just seen, and that are left out; so are those at their default.
        titled : bool
            Whether the kind's title is said.
        at : int, optional
            An instant that the reader has just seen.
        """
        kind, title = fact.kind, self.title(fact.kind.title)
        first = self._first_id(fact)
        called = self.name(fact)
        if titled and title and self.language == "zh":
            called = f"{title} {kind.name}" + ("" if first is None else f" {visible(str(fact.values[first]))}")
        parts = [called]
        if titled and title not in ("", kind.name) and self.language == "en":
            parts.append(title)
        if fact.at != at:
            parts.append(self.instant(fact.at))
        fields = [
            f"{self.title(field.title) or field.name} {self.value(field.type, value)}"
            for slot, (field, value) in enumerate(zip(kind.fields, fact.values, strict=True))
            if slot != first and value is not None and value != field.default and (field.name, value) not in known
        ]
        if fields:
            parts.append(self.join(fields))
        return " · ".join(parts)

    @staticmethod
    def _first_id(fact: Fact) -> int | None:
        slots = (slot for slot, field in enumerate(fact.kind.fields) if field.type == ID)
        return next((slot for slot in slots if fact.values[slot] is not None), None)

    def kind(self, kind: Kind) -> str:
        """A kind: its name, with its title."""
        title = self.title(kind.title)
        if not title:
            return kind.name
        return f"{title} {kind.name}" if self.language == "zh" else f"{kind.name} ({title})"

    def rule(self, rule: Rule) -> str:
        """A rule with its title, clause, file and line."""
        title = self.title(rule.title)
        parts = [rule.name + (self.say("colon") + title if title else "")]
        if rule.cite:
            parts.append(self.say("clause", cite=rule.cite))
        parts.append(f"{rule.span.source.name}:{rule.span.line}")
        return " · ".join(parts)

    def cause(self, cause: Cause) -> str:
        """Why a fact was not counted."""
        match cause.code:
            case "key" if cause.found is None or cause.type is None:
                return self.say("key-missing", field=cause.field)
            case "key" if cause.type is not None:
                return self.say("key", field=cause.field, found=self.value(cause.type, cause.found))
            case "where":
                return self.say("where-fails", text=cause.text)
            case "window":
                return self.say("window", length=self.length(cause.gap)) if cause.gap else self.say("window-edge")
            case "since" if cause.fact is not None:
                return self.say("before-since", fact=self.name(cause.fact))
            case "voided" if cause.fact is not None:
                return self.say("voided", fact=self.dated(cause.fact), rule=cause.text)
            case "unknown":
                return self.say("unknown", at=self.instant(cause.instant))
            case _:
                return self.say(cause.code)
