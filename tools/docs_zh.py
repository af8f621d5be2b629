"""The Chinese of the generated documentation, by its English."""

from __future__ import annotations

ZH: dict[str, str] = {
    # Headings.
    "The ruleset language: reference": "规则集语言参考",
    "Every key, type, operator, function, aggregate, window and check.": (
        "键、类型、运算符、函数、聚合、时限、检查，俱列于此。"
    ),
    "The guide shows all of them at work.": "指南中有它们的用例。",
    "Keys": "键",
    "A ruleset": "规则集",
    "A kind of fact": "事实种类",
    "A rule": "规则",
    "A vocabulary": "词汇表",
    "A calendar of working days": "工作日历",
    "Types": "类型",
    "Expressions": "表达式",
    "Literals": "字面值",
    "Operators": "运算符",
    "Functions": "函数",
    "Aggregates": "聚合",
    "Selections and windows": "选取与时限",
    "What is missing": "缺值",
    "What `check` finds": "`check` 所查",
    "The vocabulary `ip-complaints`": "词汇表 `ip-complaints`",
    "Case files": "用例文件",
    "A case file": "用例文件",
    "A case": "用例",
    "A block of `expect`": "`expect` 的一段",
    "The grammar of expressions": "表达式的文法",
    "The policies that ship": "随附的政策",
    # Heads of tables.
    "key": "键",
    "meaning": "含义",
    "type": "类型",
    "literal": "字面值",
    "is": "是",
    "operator": "运算符",
    "function": "函数",
    "aggregate": "聚合",
    "of": "运算对象",
    "of fields of type": "字段类型",
    "gives": "结果",
    "part": "部分",
    "code": "代码",
    "an example": "例",
    "kind": "种类",
    "status": "状态",
    "fields": "字段",
    "ruleset": "规则集",
    "title": "标题",
    "version": "版本",
    "rules": "规则",
    "rule": "规则",
    "cases": "用例",
    "made of": "由来",
    "subject": "评判对象",
    "calendar": "工作日历",
    "clauses": "依据",
    "other readings": "其他读法",
    "": "",
    # Words in cells.
    "required": "必有",
    "warning": "警告",
    "given": "给出",
    "derived": "推出",
    "lasting": "持久，级别",
    "interval": "至 `until` 止，级别",
    "any type": "任何类型",
    ", twice the same": "，两者相同",
    "twice the same": "两者相同",
    "any type, the same for all": "任何类型，全部相同",
    "the same": "同上",
    "that": "同此",
    "the field's": "字段的类型",
    "a reading of ": "另一读法，据 ",
    "The ladder of ": "阶梯：",
    "What it changes: ": "所改之处：",
    # Keys.
    "The name of the ruleset": "规则集的名称",
    "The version, such as the day from which the policy is in force": "版本，如政策施行之日",
    "The vocabulary that declares the kinds of fact": "声明事实种类的词汇表",
    "The field that names whom the rules judge": "指明评判对象的字段",
    "The time zone of local times, such as `Asia/Shanghai`": "当地时间的时区，如 `Asia/Shanghai`",
    "The calendar of working days": "工作日历",
    "The kind after which no rule fires for the subject": "终局的种类，此后不再适用任何规则",
    "The ruleset of which this one is a variant": "本规则集所改自的规则集",
    "A title, in Chinese and English": "标题，中文与英文",
    "What a reader should know, in Chinese and English": "读者应知之事，中文与英文",
    "The clauses that this follows": "所依条款",
    "Rulesets that are part of this one": "并入的规则集",
    "Words that a field may have": "字段可取的词",
    "Kinds of fact": "事实种类",
    "Named values that a variant or a run may override": "有名称的值，可由另一读法或一次运行改写",
    "The rules; `null` removes one of the extended ruleset": "规则；`null` 去掉所改自规则集的一条",
    "Whether it may be given from outside; else it is only derived": "可否由外部给出；否则只能推出",
    "How it counts for the status of the account": "如何计入账户状态",
    "Its rank: the status is the highest that is active": "级别；状态取生效者中级别最高的",
    "The kind that it ends, `KIND by FIELDS`": "所终止的种类，`KIND by FIELDS`",
    "Its fields with their types: `id`, `optional integer`, `level = information`": (
        "字段及其类型：`id`、`optional integer`、`level = information`"
    ),
    "The kind of fact that triggers the rule; `a or b` for several": "触发规则的事实种类；多种写 `a or b`",
    "The newest fact of a kind with equal fields, under an alias": "某种类中字段相同的最近一件，另起别名",
    "Named values: an expression, or branches of which the first that holds counts": (
        "有名称的值：一个表达式，或若干分支，取首个成立者"
    ),
    "The condition": "条件",
    "What is derived": "所推出的事实",
    "Instead of `then`: a table from threshold to what follows": "代替 `then`：由阈值到结果的表",
    "Instead of `then`: `KIND by FIELDS`, which no longer hold": "代替 `then`：`KIND by FIELDS`，使之失效",
    "The first instant for which the rule holds": "规则施行之始",
    "The instant from which on it holds no longer": "规则停止施行之时",
    "A rule has one of `then`, `ladder` and `void`.": "一条规则须有 `then`、`ladder`、`void` 之一。",
    "The name of the vocabulary": "词汇表的名称",
    "The name of the calendar": "日历的名称",
    "A title by language": "各语言的标题",
    "The first day that it knows": "所知的第一日",
    "The last day that it knows": "所知的最后一日",
    "Days not worked": "每周不上班的日子",
    "Days off: dates, and ranges `2015-02-18..2015-02-24`": "放假日：日期，或起止 `2015-02-18..2015-02-24`",
    "Weekend days that are worked": "调休上班的周末",
    # Types and literals.
    "exact text that names something: a complaint, a person, a right": "指名某物的文字，一字不差：投诉、人、权利",
    "any other text": "其他文字",
    "64 bits; beyond them is an error, never a wrong number": "六十四位整数；超出即报错，绝不算错",
    "`true` or `false`": "`true` 或 `false`",
    "an instant, to the microsecond": "时刻，精确到微秒",
    "a length of time; a `d` is exactly 24 hours": "时长；`d` 恰为二十四小时",
    "an enum's name": "枚举的名称",
    "one of its members": "其成员之一",
    "`optional TYPE` may be missing; `TYPE = VALUE` has a default.": "`optional TYPE` 可缺；`TYPE = VALUE` 有默认值。",
    "There are no floating-point numbers.": "没有浮点数。",
    "an integer": "整数",
    "a text or an id": "文字或 id",
    "booleans": "布尔值",
    "durations": "时长",
    "periods, counted in the ruleset's time zone": "期间，按规则集的时区计算",
    "times, in the ruleset's time zone unless told": "时刻，未注明者按规则集的时区",
    "a member of an enum, where one is expected": "枚举的成员，用在需要之处",
    # Operators and functions.
    "sum": "和",
    "sum of durations": "时长之和",
    "a time later by a duration": "晚若干时长的时刻",
    "the end of the n-th working day after that local day": "该日之后第 n 个工作日终了之时",
    "the local date moved, the clock kept": "日期后移，钟点不变",
    "months or years later; a month's end clamps": "若干月或年之后；逢月末取该月末日",
    "difference": "差",
    "difference of durations": "时长之差",
    "the duration between two times": "两个时刻之间的时长",
    "a time earlier by a duration": "早若干时长的时刻",
    "the local date moved back, the clock kept": "日期前移，钟点不变",
    "months or years earlier": "若干月或年之前",
    "product": "积",
    "a duration, so many times": "时长的若干倍",
    "quotient, floored; by zero missing": "商，向下取整；除以零为缺值",
    "a share of a duration, floored": "时长的若干分之一，向下取整",
    "how often it fits, floored": "可容几次，向下取整",
    "what `//` leaves; by zero missing": "`//` 的余数；除以零为缺值",
    "equal": "相等",
    "known and not equal": "已知且不等",
    "less, earlier, shorter": "小于、早于、短于",
    "at most": "不超过",
    "more, later, longer": "大于、晚于、长于",
    "at least": "不少于",
    "equal to one of a list": "与所列之一相等",
    "known and equal to none": "已知且与所列均不等",
    "the negative": "相反数",
    "both hold; the second is asked only where the first holds": "两者皆成立；前者不成立则不问后者",
    "one holds; the second is asked only where the first does not": "有一成立；前者成立则不问后者",
    "does not hold, or is missing": "不成立，或缺值",
    "the first where the condition holds, else the second": "条件成立取前者，否则取后者",
    "the value without its sign": "绝对值",
    "the duration without its sign": "时长的绝对值",
    "the least of two or more values": "两个或更多值中最小者",
    "the greatest of two or more values": "两个或更多值中最大者",
    "whether the value is not missing": "值是否不缺",
    "the first of the values that is not missing": "各值中首个不缺者",
    "the start of the time's local day": "该时刻当日之始",
    "the start of its local month": "当月之始",
    "the start of its local year": "当年之始",
    "how many facts": "事实的件数",
    "whether there is a fact": "有没有这样的事实",
    "whether there is no fact": "是否没有这样的事实",
    "the sum of a field; of nothing 0": "字段之和；没有事实则为 0",
    "the least value of a field; of nothing missing": "字段的最小值；没有事实则缺",
    "the greatest value of a field; of nothing missing": "字段的最大值；没有事实则缺",
    "the field of the oldest fact, as it is": "最早一件的字段，缺则缺",
    "the field of the newest fact, as it is": "最近一件的字段，缺则缺",
    # Selections.
    "An aggregate asks for facts: `KIND where CONDITION by FIELD, FIELD WINDOW`.": (
        "聚合选取事实：`KIND where CONDITION by FIELD, FIELD WINDOW`。"
    ),
    "only facts of which it holds: of their own fields and `at`, literals and undated parameters": (
        "只取使之成立者：限其自身字段与 `at`、字面值、不分时期的参数"
    ),
    "only facts with the same values there as the trigger; what is missing equals nothing": (
        "只取这些字段与触发事实相同者；缺值与任何值都不相同"
    ),
    "after the instant so long ago": "晚于该时长之前的时刻，不含该时刻",
    "that instant included": "含该时刻",
    "the same with months and years of the calendar": "同上，以日历的月、年计",
    "the last five local dates, today among them; `inclusive`: and the one before": (
        "最近五日，含当日；`inclusive`：再加之前一日"
    ),
    "from the step of the newest such fact on; all, where there is none": "自最近一件这样的事实那一步起；没有则全取",
    "the same local calendar period": "当日、当月、当年",
    "Arithmetic with a missing value is missing; so is any function of it but `known`, `coalesce`.": (
        "有缺值的算术，结果为缺；函数亦然，`known` 与 `coalesce` 除外。"
    ),
    "A comparison with a missing value is false, `!=` and `not in` too.": "与缺值比较，不成立，`!=` 与 `not in` 亦然。",
    "A missing boolean counts as false in a condition, so that `not` of it is true.": (
        "条件中缺的布尔值视为不成立，故其 `not` 成立。"
    ),
    "`count` and `sum` of nothing are 0; `min`, `max`, `first` and `last` of nothing are missing.": (
        "没有事实时，`count` 与 `sum` 为 0；`min`、`max`、`first`、`last` 为缺。"
    ),
    "`sum`, `min` and `max` skip facts that lack the field; `first` and `last` take the fact as it is.": (
        "`sum`、`min`、`max` 略过缺该字段的事实；`first` 与 `last` 照取。"
    ),
    # Checks.
    "All problems at once, each with its place, a code and, where one is near, a suggestion.": (
        "一次列出全部问题，各有位置与代码；有相近的名称则给出建议。例句为英文，与命令所印相同。"
    ),
    "Of the whole ruleset it checks:": "就整个规则集所查：",
    "`void` is of and by input kinds; a kind that voids is neither voided nor derived.": (
        "`void` 只涉及可给出的种类；使他者失效的种类，自身既不失效，也不推出。"
    ),
    "A rule whose condition is constant.": "条件恒定的规则。",
    "Working days need a calendar.": "工作日须有日历。",
    "A ruleset without rules decides nothing.": "没有规则的规则集什么也不判定。",
    "A rule whose kind is never given nor derived; those that only wait for such a rule are not told.": (
        "所触发的种类既不给出也不推出的规则；只因等待这类规则而不触发者，不另列。"
    ),
    "Parameters and kinds of the ruleset's own that nothing uses; those of other files are told of those.": (
        "规则集自身无人使用的参数与种类；属他文件者，由该文件报告。"
    ),
    "A rule that schedules what leads back to it: it repeats until the limit of steps.": (
        "排定的结果又引回自身的规则：将反复至步数上限。"
    ),
    # Vocabulary and cases.
    "The kinds that ship; a ruleset may add its own, or declare all by itself.": (
        "随附的种类；规则集可增加自己的，也可全部自行声明。"
    ),
    "The ruleset, found beside the case file, else the shipped one": "规则集，在用例文件旁，否则取随附者",
    "Cases by name": "用例，各有名称",
    "The subject of facts that name none": "未指明者的评判对象",
    "The facts given": "给出的事实",
    "Parameters for this case": "此例的参数",
    "What must hold; a list for several instants": "须成立之事；多个时刻用列表",
    "The instant of the run; without it, the latest of the facts": "运行的时刻；不写则取事实中最晚者",
    "Each must have been derived, by a fact of its own": "每一项均须推出，且各对应一件",
    "None of these may have been derived": "均不得推出",
    "How many facts of a kind are derived, over all subjects": "某种类共推出几件，不分对象",
    "The sum of `KIND.FIELD` over all subjects": "`KIND.FIELD` 的合计，不分对象",
    "The status of the case's subject, or of each by name": "用例对象的状态，或按名称各列",
    "Of these kinds nothing but what `facts` lists": "这些种类除 `facts` 所列外别无其他",
    # The catalogue.
    "Where published sources contradict each other, each reading is a ruleset of its own.": (
        "公开来源互相矛盾之处，每种读法各成一个规则集。"
    ),
    "Clause ids name sections of the sources; no sentence of a source is repeated.": (
        "依据编号指来源的条款，此处不抄录原文。"
    ),
    "None of it is legal advice.": "均不构成法律意见。",
}
