"""The words for what could be otherwise, zh and en: remedies, next sanctions, deadlines, differences."""

from __future__ import annotations

from ..facts import Fact
from ..model import Rule
from ..speech.outcome import GOOD_STANDING, Status
from ..why.words import Words

_PHRASES: dict[str, tuple[str, str]] = {
    # Remedies.
    "give": ("如何达到：{status}", "what would give {status}"),
    "undo": ("如何消除：{facts}", "what would undo {facts}"),
    "kept": (
        "待定事项至 {at} 全部届满，届时：{status}",
        "what is pending falls due by {at}; then it would be: {status}",
    ),
    "kept-same": (
        "待定事项至 {at} 全部届满，状态不变",
        "what is pending falls due by {at}, which leaves the status as it is",
    ),
    "by-then": ("目标时间 {at}，届时：{status}", "to be reached by {at}, when it would be: {status}"),
    "reached": ("✓ 无需采取措施", "✓ nothing need be done"),
    "no-remedy": (
        "✗ 没有办法：可补充的事实共 {acts} 件，任取至多 {most} 件均不能达到",
        "✗ there is no remedy: no {most} or fewer of the {acts} facts that could be added reach it",
    ),
    "no-remedy-one": (
        "✗ 没有办法：可补充的事实共 {acts} 件，任何一件单独均不能达到",
        "✗ there is no remedy: none of the facts that could be added ({acts}) reaches it by itself",
    ),
    "no-acts": ("✗ 没有办法：没有可补充的事实", "✗ there is no remedy: there is nothing that could be added"),
    "not-all": (
        "… 共试 {runs} 组；超过 {size} 件的组合未全部试完",
        "… {runs} sets were tried, not all of those of more than {size}",
    ),
    "more-remedies": ("… 另有 {number} 种办法", "… {number} more"),
    "together": ("以下 {number} 项并举", "these {number} together"),
    "or-else": ("{first}，或 {others}", "{first}, or {others}"),
    "then": ("{what} → {status}", "{what} → {status}"),
    "cost": ("{text} · 代价 {cost}", "{text} · cost {cost}"),
    "voids": ("使之失效：{fact}", "voids {fact}"),
    "answers": ("须在 {at} 之前，届时：{fact}", "before {at}, when {fact} falls due"),
    # The next sanction.
    "next": ("怎样会招致下一处罚", "what would bring the next sanction"),
    "is-over": ("✓ 已有 {kind}（{at}），此后不再有处罚", "✓ {kind} stands since {at}; nothing follows after it"),
    "no-next": (
        "✓ 再有至多 {most} 件与此前同类的事实，也不招致处罚",
        "✓ up to {most} more facts like those before bring none",
    ),
    "no-next-one": (
        "✓ 再有 1 件与此前同类的事实，也不招致处罚",
        "✓ 1 more fact like those before brings none",
    ),
    "no-next-besides": (
        "✓ 此外，再有至多 {most} 件与此前同类的事实，不招致其他处罚",
        "✓ besides, up to {most} more facts like those before bring no other",
    ),
    "no-next-besides-one": (
        "✓ 此外，再有 1 件与此前同类的事实，不招致其他处罚",
        "✓ besides, 1 more fact like those before brings no other",
    ),
    "no-next-found": ("未找到可招致处罚的事实", "none was found"),
    "next-not-all": (
        "… 事实较多，仅试 {runs} 组；其余情形未试",
        "… for the number of facts only {runs} runs were made; not all was tried",
    ),
    "pending-brings": (
        "! 待定事项已将招致（如不采取措施）：{what}",
        "! what is pending already brings, if nothing is done: {what}",
    ),
    "no-likes-besides": ("✓ 此外没有可招致处罚的事实", "✓ besides, there is no fact to bring one"),
    "no-likes": ("✓ 没有可招致处罚的事实", "✓ there is no fact to bring one"),
    "one-more": ("再有 1 件{like}，{when}", "1 more {like}, {when}"),
    "more-like": ("再有 {number} 件{like}，{when}", "{number} more {like}, {when}"),
    "now": ("即日起", "from now on"),
    "at-instants": ("于 {at}", "at {at}"),
    "anyone": ("不论出自何人", "whoever it is from"),
    "anyone-alike": ("不论出自何人，但须同一来源", "whoever they are from, if from the same"),
    "anyone-new": ("出自新的来源", "from someone new"),
    "like": ("{kind}（{fields}）", "{kind} ({fields})"),
    "like-from": ("{like}，{anyone}", "{like} {anyone}"),
    # Deadlines.
    "deadlines": ("待定事项", "deadlines"),
    "none-pending": ("没有待定事项", "nothing is pending"),
    "nothing": ("无", "nothing"),
    "col-at": ("时间", "at"),
    "col-what": ("届满", "falls due"),
    "col-rule": ("规则", "rule"),
    "col-brings": ("如不采取措施", "if nothing is done"),
    "col-answers": ("尚可采取", "can be answered by"),
    "if-nothing": ("如不采取措施：{what}", "if nothing is done: {what}"),
    "by-rule": ("依规则 {rule}", "by rule {rule}"),
    "on-fact": ("起于 {fact}", "on {fact}"),
    "answer-before": ("届时之前尚可：{what}", "until then it can be answered by {what}"),
    "schedules": ("又排定 {what}", "schedules {what}"),
    "ics-name": ("{ruleset} 期限", "{ruleset} deadlines"),
    # Differences.
    "what-if": ("假如", "what if"),
    "added": ("＋ 增加 {fact}", "+ added {fact}"),
    "removed": ("－ 去掉 {fact}", "− removed {fact}"),
    "more-changes-one": ("… 另有 1 项改动", "… 1 more change"),
    "more-changes": ("… 另有 {number} 项改动", "… {number} more changes"),
    "set": ("＝ 参数 {name} 为 {value}", "= parameter {name} set to {value}"),
    "against": ("＝ 改用规则集 {ruleset}", "= under the ruleset {ruleset}"),
    "later-as-of": ("＝ 截至 {at}", "= as of {at}"),
    "subject-status": ("{subject}：{before} → {after}", "{subject}: {before} → {after}"),
    "subject-same": ("{subject}：{status}（不变）", "{subject}: {status}, unchanged"),
    "status-at": ("{status}（自 {at}）", "{status} since {at}"),
    "gained": ("＋ {fact}", "+ {fact}"),
    "lost": ("－ {fact}", "− {fact}"),
    "gained-pending": ("＋ 待定 {fact}", "+ pending {fact}"),
    "lost-pending": ("－ 待定 {fact}", "− pending {fact}"),
    "before-reason": ("原先：{why}", "before: {why}"),
    "after-reason": ("如今：{why}", "now: {why}"),
    "no-longer": ("没有 {fact}", "there is no {fact}"),
    "was-removed": ("{fact} 已去掉", "{fact} is removed"),
    "no-such-rule": ("没有规则 {rule}", "there is no rule {rule}"),
    "not-at-all": ("没有任何事实", "there are no facts"),
    "is-rejected": ("未能运行：{why}", "rejected: {why}"),
    "fires-so": ("规则 {rule} 成立，得出 {fact}", "rule {rule} fires and gives {fact}"),
    "fires-later": ("规则 {rule} 成立", "rule {rule} fires"),
    "unchanged": ("没有变化", "nothing changes"),
    "changed-of": (
        "{total} 个 {subject} 中 {number} 个有变化；结论 ＋{gained} －{lost}",
        "{number} of {total} {subject}s change; conclusions +{gained} −{lost}",
    ),
    "more-subjects": ("… 另有 {number} 个有变化", "… {number} more change"),
    "more-lines": ("… 另有 {number} 条", "… {number} more"),
}
"""Phrases: zh, en."""


class WordsAhead(Words):
    """Writes for a person what could be otherwise; see `Words`."""

    def say(self, phrase: str, **parts: object) -> str:
        """A phrase with its parts filled in."""
        found = _PHRASES.get(phrase)
        if found is None:
            return super().say(phrase, **parts)
        return found[0 if self.language == "zh" else 1].format(**parts)

    def status(self, status: Status | str) -> str:
        """A status, with its title, and since when."""
        name = status if isinstance(status, str) else status.kind
        kind = self.ruleset.kinds_by_name.get(name)
        if name == GOOD_STANDING:
            shown = f"良好 {GOOD_STANDING}" if self.language == "zh" else GOOD_STANDING
        else:
            shown = name if kind is None else self.kind(kind)
        if isinstance(status, str) or status.since is None or name == GOOD_STANDING:
            return shown
        return self.say("status-at", status=shown, at=self.instant(status.since))

    def rule_name(self, rule: Rule) -> str:
        """A rule by its name, with its title."""
        title = self.title(rule.title)
        return rule.name + (self.say("colon") + title if title else "")

    def like(self, fact: Fact, own: int | None, known: bool) -> str:
        """A fact as one of its sort: its kind and, where they matter, its fields without the id of its own."""
        fields = [
            f"{self.title(field.title) or field.name} {self.value(field.type, value)}"
            for slot, (field, value) in enumerate(zip(fact.kind.fields, fact.values, strict=True))
            if slot != own and value is not None and value != field.default and (known or field.type.name != "id")
        ]
        named = self.name_of(fact.kind)
        return self.say("like", kind=named, fields=self.join(fields)) if fields else named
