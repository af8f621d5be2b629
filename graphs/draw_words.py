"""The words of pictures, in zh and en."""

from __future__ import annotations

from .draw_scale import DAY, HOUR

LANGUAGES = ("zh", "en")

_PHRASES: dict[str, tuple[str, str]] = {
    # States.
    "counted": ("计入", "counted"),
    "merged": ("并入前次", "merged"),
    "pending": ("待定", "pending"),
    "not_counted": ("未计入", "not counted"),
    "voided": ("作废", "voided"),
    # Parts of pictures.
    "as-of": ("截至 {at}", "as of {at}"),
    "folded-columns": (
        "{number} 行的事实过密，不逐件绘出：每柱为约 {length}内的件数",
        "rows that have too many facts to draw one by one: {number}; there each column counts those of about {length}",
    ),
    "folded-bars": (
        "{number} 行的时段过密：重叠者合为一段",
        "rows that have too many spans to draw one by one: {number}; there those that overlap are drawn as one",
    ),
    "folded-windows": (
        "{number} 行过密，未绘时限",
        "rows in which windows are left out: {number}",
    ),
    "folded-labels": (
        "{number} 行过密，未标编号",
        "rows in which labels are left out: {number}",
    ),
    "folded-nodes": (
        "{name}：投诉最多的 {shown} 个逐一绘出，其余 {number} 个合为一格",
        "{name}: the {shown} with most complaints are drawn, the other {number} are folded into one",
    ),
    "folded-steps": (
        "共 {total} 步，绘出 {shown} 步，其余合并",
        "{shown} of {total} steps are drawn, the others are folded",
    ),
    "cut": ("时间轴上 // 处略去无事的时段", "quiet times are cut out of the axis at //"),
    "others": ("其余 {number} 个", "{number} others"),
    "nobody": ("（无）", "(none)"),
    "window": ("时限", "window"),
    "days": ("{number} 天", "{number} d"),
    "hours": ("{number} 小时", "{number} h"),
    "minutes": ("{number} 分钟", "{number} min"),
    "years": ("{number} 年", "{number} y"),
    "flow": ("{path}：{number} 件{state}", "{path}: {number} {state}"),
    "nothing": ("没有可绘的事实", "there is nothing to draw"),
    "arrow": (" → ", " → "),
    # The timeline.
    "timeline": ("{subject} 的时间线", "Timeline of {subject}"),
    "complaints": ("投诉", "Complaints"),
    "facts": ("其他事实", "Other facts"),
    "conclusions": ("推出", "Conclusions"),
    "sanctions": ("处罚", "Sanctions"),
    "ahead": ("待定", "Pending"),
    "status": ("状态 {status}", "status {status}"),
    "status-since": ("状态 {status}，自 {at} 起", "status {status} since {at}"),
    "numbers": ("投诉 {number} 件：{parts}", "{number} complaints: {parts}"),
    "number-one": ("投诉 1 件：{parts}", "1 complaint: {parts}"),
    "number-none": ("没有投诉", "no complaints"),
    "part": ("{state} {number}", "{number} {state}"),
    "comma": ("，", ", "),
    "dot": (" · ", " · "),
    "semicolon": ("；", "; "),
    "counted-by": ("按 {fields} 计次", "numbered by {fields}"),
    "counted-all": ("计次", "numbered"),
    "window-of": ("时限 {length}", "window {length}"),
    "other-lanes": ("其余 {number} 组", "{number} other pairs"),
    "other-kinds": ("其余 {number} 种", "{number} other kinds"),
    "merged-into": ("并入 {fact}", "merged into {fact}"),
    "voided-by": ("因 {fact} 作废", "voided by {fact}"),
    "brought": ("得出 {facts}", "brought {facts}"),
    "stopped": ("规则 {rule}：{why}", "rule {rule}: {why}"),
    "fails": ("`{text}` 不成立", "`{text}` fails"),
    "over": ("终局之后，不再适用任何规则", "after the terminal fact no rule fires"),
    "not-in-force": ("其时未施行", "not in force then"),
    "join": ("没有可关联的事实", "nothing to join"),
    "ladder": ("没有新达到的节点", "no step is newly reached"),
    "from-to": ("{start} 至 {end}", "{start} to {end}"),
    "from-on": ("自 {start} 起", "from {start} on"),
    "due": ("排定于 {at}", "scheduled for {at}"),
    # Keys.
    "fact": ("给出的事实", "fact given"),
    "conclusion": ("推出的事实", "fact derived"),
    "firing": ("触发的规则", "rule that fired"),
    "sanction-low": ("轻", "least severe"),
    "sanction-mid": ("中", "more severe"),
    "sanction-high": ("最重", "most severe"),
    "now": ("截至时点", "instant of the run"),
    # Complaints.
    "complaint-graph": ("投诉关系 · {ruleset}", "Complaints · {ruleset}"),
    "complaint-graph-of": ("对 {subject} 的投诉 · {ruleset}", "Complaints about {subject} · {ruleset}"),
    "sides": (
        "投诉方 {complainants} 个、权利 {rights} 项、{name} {subjects} 个",
        "complainants {complainants}, rights {rights}, {name}s {subjects}",
    ),
    "flow-first": ("最多者 {path}：{number} 件", "the most, {number}, {path}"),
    "triples": ("按投诉方、权利与被投诉方", "By {fields}"),
    "by-complainant": ("按投诉方", "By {fields}"),
    "by-right": ("按权利", "By {fields}"),
    "by-subject": ("按被投诉方", "By {fields}"),
    "bursts": (
        "密集投诉：七十二小时内同一投诉方对同一对象三件以上",
        "Bursts: one complainant, one target, three or more within 72 hours",
    ),
    "rings": (
        "目标相同的投诉方：至少三个共同目标，且占半数",
        "Rings: complainants who share three targets or more, at least half of theirs",
    ),
    # Firings.
    "firings": ("{subject} 的规则触发", "Firings on {subject}"),
    "came": ("每步所来", "what came"),
    "stratum": ("规则，第 {number} 层", "rules, stratum {number}"),
    "derived": ("推出", "derived"),
    "steps": (
        "共 {steps} 步，触发 {firings} 次，推出 {facts} 条",
        "{steps} steps, {firings} firings, {facts} facts derived",
    ),
    "scheduled-at": ("由第 {step} 步排定", "scheduled by step {step}"),
    "voids": ("使 {facts} 作废", "voids {facts}"),
    "threshold": ("达到 {number}", "reaches {number}"),
    "later": ("排定，其时另成一步", "scheduled, a step of its own"),
    "fold-tale": ("合并 {number} 步，{span}：{came}", "{number} steps folded, {span}: {came}"),
    "fold-derived": ("；推出 {facts}", "; derived {facts}"),
    "step": ("第 {number} 步", "step {number}"),
    # Rules.
    "rules": ("规则之间 · {ruleset}", "Rules · {ruleset}"),
    "rules-subtitle": (
        "规则 {rules} 条，分 {strata} 层；同一步内自左向右",
        "{rules} rules in {strata} strata; inside a step from left to right",
    ),
    "kinds-first": ("事实", "facts"),
    "kinds-derived": ("推出的事实", "facts derived"),
    "void-part": (
        "作废：先于一切规则，只据给出的事实判定",
        "voids: decided before all rules, over given facts alone",
    ),
    "void-trigger": ("到来的事实", "fact that comes"),
    "void-rule": ("规则", "rule"),
    "void-target": ("失效的事实", "fact that no longer holds"),
    "key-given": ("可给出的事实", "may be given"),
    "key-derived": ("只能推出的事实", "can only be derived"),
    "key-rule": ("规则", "rule"),
    "key-trigger": ("触发、推出", "triggers, derives"),
    "key-forward": ("读取，含本步所推", "reads, this step's included"),
    "key-backward": ("读取此前各步，或定时推出", "reads earlier steps only, or schedules"),
    "ends": ("终止 {kind}", "ends {kind}"),
    # Headings of tables.
    "h-at": ("时间", "at"),
    "h-what": ("事实", "what"),
    "h-state": ("结果", "state"),
    "h-why": ("缘由", "why"),
    "h-from": ("起", "from"),
    "h-until": ("止", "until"),
    "h-complaints": ("投诉", "complaints"),
    "h-success": ("成立率", "success"),
    "h-share_voided": ("作废率", "share voided"),
    "h-voided_by": ("作废缘由", "voided by"),
    "h-most_strikes": ("单组最多计次", "most strikes of one triple"),
    "h-first": ("首件", "first"),
    "h-last": ("末件", "last"),
    "h-sellers": ("被投诉方数", "targets"),
    "h-complainants": ("投诉方", "complainants"),
    "h-rights": ("权利数", "rights"),
    "h-subjects": ("共同目标", "common targets"),
    "h-likeness": ("重合度", "likeness"),
    "h-step": ("步", "step"),
    "h-rule": ("规则", "rule"),
    "h-stratum": ("层", "stratum"),
    "h-trigger": ("触发", "triggered by"),
    "h-forward": ("读，含本步所推", "reads, this step's included"),
    "h-backward": ("读，仅限此前各步", "reads, earlier steps only"),
    "h-derives": ("推出", "derives"),
    "h-voids": ("作废", "voids"),
}


def say(language: str, phrase: str, **parts: object) -> str:
    """A phrase in a language, with its parts filled in.

    Examples
    --------
    >>> say("en", "others", number=3), say("zh", "others", number=3)
    ('3 others', '其余 3 个')
    """
    return _PHRASES[phrase][0 if language == "zh" else 1].format(**parts)


def about(language: str, length: float) -> str:
    """A length of time in microseconds, in one unit.

    Examples
    --------
    >>> about("en", 36 * HOUR), about("en", 40 * DAY), about("zh", 900 * DAY)
    ('36 h', '40 d', '2.5 年')
    """
    if length >= 730 * DAY:
        return say(language, "years", number=_short(length / (365.25 * DAY)))
    if length >= 3 * DAY:
        return say(language, "days", number=f"{length / DAY:,.0f}")
    if length >= 1.5 * HOUR:
        return say(language, "hours", number=f"{length / HOUR:.0f}")
    return say(language, "minutes", number=f"{max(length / HOUR * 60, 1):.0f}")


def _short(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")
