"""Expressions to code: what both dialects share. Nothing is computed that the language does not ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from strikeout.facts import DURATION, TIME, Type, Value
from strikeout.ground.problems import Span
from strikeout.ground.values import INTEGER_MAX, INTEGER_MIN, ArithmeticFault, Period
from strikeout.model import (
    Aggregate,
    Choice,
    Constant,
    Expression,
    JoinedField,
    LetValue,
    Literal,
    Logic,
    Now,
    Operation,
    OwnField,
    ParameterValue,
    Rule,
    Ruleset,
    SubjectName,
    TriggerField,
)

from .plan import Plan, computed_ahead
from .writer import Names, Operand, Writer, bare, both

INTEGER_FAULT = "overflow: an integer beyond 64 bits"
DURATION_FAULT = "overflow: a duration beyond 64 bits of microseconds"
TIME_FAULT = "overflow: a time outside the years 1 to 9999"
SIMPLE = 60
FAR = 1_000_000_000  # of any period: beyond all years and calendars
NESTED = 10


class Expressions:
    """Writes expressions of one rule after the other. A dialect says how values are held and faults are told.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    plan : Plan
        Where faults and indices are numbered.
    reserved : set of str
        Names that the dialect's own code uses.
    """

    def __init__(self, ruleset: Ruleset, plan: Plan, reserved: set[str]) -> None:
        self.ruleset = ruleset
        self.plan = plan
        self.out = Writer(Names(reserved))
        self.rule: Rule = (*ruleset.rules, *ruleset.void_rules)[0]
        self.rule_number = 0
        self.before = False
        self.own: Callable[[int], Operand] | None = None
        self.capture = ""
        self.ahead: dict[tuple[int, bool], tuple[str, Operand]] = {}

    # What a dialect says.

    def literal(self, type_: Type, value: Value) -> str:
        """A constant of a field's type."""
        raise NotImplementedError

    def subject_name(self) -> Operand:
        """The subject's id."""
        raise NotImplementedError

    def trigger_field(self, expression: TriggerField) -> Operand:
        """A field of the trigger."""
        raise NotImplementedError

    def joined_field(self, expression: JoinedField) -> Operand:
        """A field of a joined fact."""
        raise NotImplementedError

    def aggregate(self, expression: Aggregate) -> Operand:
        """An aggregate."""
        raise NotImplementedError

    def fail(self, site: str) -> None:
        """Write the end of a subject's run by the fault at a site."""
        raise NotImplementedError

    def missing(self, type_: Type) -> str:
        """The missing value of a type, where a variable has to hold something."""
        raise NotImplementedError

    def put(self, name: str, operand: Operand) -> None:
        """Write an assignment of what may be missing."""
        raise NotImplementedError

    def held(self, name: str) -> Operand:
        """A variable of what may be missing, as an operand."""
        raise NotImplementedError

    def sum_(self, operator: str, left: str, right: str, result: str, span: Span, message: str) -> None:
        """Write `+`, `-` or `*` of integers, checked."""
        raise NotImplementedError

    def check_instant(self, name: str, span: Span) -> None:
        """Write the check that an instant lies in the years 1 to 9999."""
        raise NotImplementedError

    # Faults.

    def fault(self, code: str, message: str, span: Span) -> None:
        """Write that the run fails here."""
        self.refuse(str(self.plan.site(code, message, span)))

    @contextmanager
    def once(self) -> Iterator[None]:
        """A block that `break` leaves."""
        with self.out.block("while True:"):
            yield

    def refuse(self, site: str) -> None:
        """Write that the run fails by the fault whose number is the site."""
        if self.capture:
            self.out.line(f"{self.capture} = {site}")
            self.out.line("break")
        else:
            self.fail(site)

    # Values.

    def value(self, expression: Expression) -> Operand:
        """Write what a value needs, and give the operand that is it."""
        found = self.ahead.get((id(expression), self.before))
        if found is not None:
            fault, operand = found
            if fault:
                with self.out.block(f"if {fault}:"):
                    self.refuse(fault)
            return operand
        match expression:
            case Literal(type=type_, value=value):
                return Operand(self.constant(type_, value))
            case Now():
                return Operand("at")
            case SubjectName():
                return self.subject_name()
            case TriggerField():
                return self.trigger_field(expression)
            case JoinedField():
                return self.joined_field(expression)
            case OwnField(slot=slot):
                if self.own is None:
                    raise TypeError("a fact's own field outside `where`")
                return Operand("at") if slot < 0 else self.own(slot)
            case ParameterValue(parameter=number):
                return self.parameter(number)
            case LetValue(let=number):
                return self.let(number)
            case Logic():
                return Operand(self.logic(expression))
            case Choice():
                return self.choice(expression)
            case Operation():
                return self.operation(expression)
            case Aggregate():
                key = ("aggregate", expression, self.before)
                operand = self.out.find(key)
                if operand is None:
                    operand = self.aggregate(expression)
                    self.out.remember(key, operand)
                return operand

    def constant(self, type_: Type, value: Constant) -> str:
        """A constant: a field's value, or how many of a period."""
        if isinstance(value, Period):
            return str(min(max(value.count, -FAR), FAR))
        return self.literal(type_, value)

    def condition(self, expression: Expression) -> str:
        """Write what a condition needs, and give its code; a missing boolean does not hold."""
        return self.holds(self.value(expression))

    def holds(self, operand: Operand) -> str:
        """A boolean operand as a condition."""
        return both(operand.known, operand.code)

    def temporary(self, code: str, hint: str = "x") -> str:
        """A variable that holds the value of code."""
        name = self.out.names.fresh(hint)
        self.out.line(f"{name} = {bare(code)}")
        return name

    def brief(self, operand: Operand) -> Operand:
        """The operand, short enough to be used more than once."""
        if len(operand.code) <= SIMPLE and len(operand.known) <= SIMPLE:
            return operand
        known = operand.known
        if len(known) > SIMPLE:
            known = self.temporary(known, "known")
        if len(operand.code) <= SIMPLE:
            return Operand(operand.code, known)
        if not known:
            return Operand(self.temporary(operand.code))
        name = self.out.names.fresh("x")
        self.put(name, Operand(operand.code, known))
        return self.held(name)

    def parameter(self, number: int) -> Operand:
        """A parameter; of dated values the newest in force at the step."""
        parameter = self.ruleset.parameters[number]
        if not parameter.dated:
            if parameter.value is None:
                return Operand(self.missing(parameter.type), "False")
            return Operand(self.constant(parameter.type, parameter.value))
        key = ("parameter", number)
        operand = self.out.find(key)
        if operand is None:
            name = self.out.names.fresh(parameter.name)
            self.out.line(f"{name} = {self.missing(parameter.type)}")
            word = "if"
            for start, value in reversed(parameter.dated):
                with self.out.block(f"{word} at >= {start}:"):
                    self.out.line(f"{name} = {self.constant(parameter.type, value)}")
                word = "elif"
            operand = Operand(name, f"at >= {parameter.dated[0][0]}")
            self.out.remember(key, operand)
        return operand  # type: ignore[no-any-return]

    def let(self, number: int) -> Operand:
        """A named value, computed where it is first needed."""
        key = ("let", number, self.before)
        operand = self.out.find(key)
        if operand is None:
            let = self.rule.lets[number]
            operand = self.value(let.value)
            if not operand.code.isidentifier():
                if operand.known:
                    operand = self.brief(operand)
                else:
                    operand = Operand(self.temporary(operand.code, let.name))
            self.out.remember(key, operand)
        return operand  # type: ignore[no-any-return]

    # From the left, and only what is needed.

    def logic(self, expression: Logic) -> str:
        """`and`, `or`, `not`."""
        if expression.operator == "not":
            return f"(not {self.condition(expression.operands[0])})"
        word = f" {expression.operator} "
        parts = [self.condition(expression.operands[0])]
        name = ""
        for operand in expression.operands[1:]:
            with self.out.aside() as lines:
                code = self.condition(operand)
            if not lines:
                parts.append(code)
                continue
            joined = word.join(parts)
            if not name:
                name = self.temporary(joined, "holds")
            elif joined != name:
                self.out.line(f"{name} = {joined}")
            with self.out.block(f"if {name}:" if expression.operator == "and" else f"if not {name}:"):
                self.out.lines.extend(lines)
                self.out.line(f"{name} = {bare(code)}")
            parts = [name]
        return parts[0] if len(parts) == 1 else f"({word.join(parts)})"

    def choice(self, expression: Choice) -> Operand:
        """The value of the first branch whose condition holds."""
        name = self.out.names.fresh("x")
        complete = expression.branches[-1][0] is None
        if not complete:
            self.out.line(f"{name} = {self.missing(expression.type)}")
            self.unknown(name)
        operands: list[Operand] = []
        with ExitStack() as stack:
            word, nested, todo = "if", 0, ""
            for condition, value in expression.branches:
                if todo:
                    self.flagged(todo, name, condition, value, operands)
                    continue
                if condition is None:
                    if word == "elif":
                        stack.enter_context(self.out.block("else:"))
                    operands.append(self.branch(name, value))
                    break
                with self.out.aside(int(word == "elif")) as lines:
                    code = self.condition(condition)
                if lines and word == "elif":
                    nested += 1
                    stack.enter_context(self.out.block("else:"))
                    word = "if"
                    if nested > NESTED:
                        todo = self.temporary("True", "todo")
                        self.flagged(todo, name, condition, value, operands)
                        continue
                self.out.lines.extend(lines)
                with self.out.block(f"{word} {bare(code)}:"):
                    operands.append(self.branch(name, value))
                word = "elif"
        if complete and not any(operand.known for operand in operands):
            return Operand(name)
        return self.held(name)

    def flagged(
        self, todo: str, name: str, condition: Expression | None, value: Expression, operands: list[Operand]
    ) -> None:
        """Write one of many branches, each under a flag that no earlier one held."""
        with self.out.block(f"if {todo}:"):
            if condition is None:
                operands.append(self.branch(name, value))
                return
            with self.out.block(f"if {bare(self.condition(condition))}:"):
                self.out.line(f"{todo} = False")
                operands.append(self.branch(name, value))

    def branch(self, name: str, value: Expression) -> Operand:
        """Write the value of a branch."""
        operand = self.value(value)
        self.put(name, operand)
        return operand

    def unknown(self, name: str) -> None:
        """Write that a variable is missing, where a dialect notes that apart."""

    # Operators and functions.

    def operation(self, expression: Operation) -> Operand:
        """An operator or function on operands that are all computed."""
        operands = [self.value(operand) for operand in expression.operands]
        operator, span = expression.operator, expression.span
        if operator == "known":
            return Operand(f"({operands[0].known})" if operands[0].known else "True")
        if operator == "coalesce":
            return self.coalesce(expression.type, operands)
        known = both(*(operand.known for operand in operands))
        codes = [operand.code for operand in operands]
        match operator:
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                return Operand(both(known, f"({codes[0]} {operator} {codes[1]})"))
            case "in" | "not in":
                return Operand(both(known, self.contained(operator, [self.brief(operands[0]).code, *codes[1:]])))
            case "min" | "max":
                return Operand(f"{operator}({', '.join(map(bare, codes))})", known)
            case "day" | "month" | "year":
                return self.guarded(known, lambda name: self.start_of(operator, codes[0], name))
            case "//" | "%":
                return self.division(expression, operands, known)
        second = expression.operands[-1].type.name
        if second in ("workdays", "dates", "months"):
            return self.guarded(known, lambda name: self.shift(second, operator, codes, name, span))
        if expression.type == TIME:

            def instant(name: str) -> None:
                self.sum_(operator, codes[0], codes[1], name, span, TIME_FAULT)
                self.check_instant(name, span)

            return self.guarded(known, instant)
        message = DURATION_FAULT if expression.type == DURATION else INTEGER_FAULT
        folded = self.folded(operator, codes)
        if folded is not None and expression.type != TIME:
            if fits(folded):
                return Operand(str(folded), known)
            with self.out.block(f"if {bare(known) or 'True'}:"):
                self.fault("overflow", message, span)
            return Operand("0", known)
        if operator in ("neg", "abs"):
            return self.guarded(known, lambda name: self.signed(operator, codes[0], name, span, message))
        return self.guarded(known, lambda name: self.sum_(operator, codes[0], codes[1], name, span, message))

    @staticmethod
    def folded(operator: str, codes: Sequence[str]) -> int | None:
        """The result of an operation on literals."""
        if not all(code.lstrip("-").isdigit() for code in codes):
            return None
        a, b = int(codes[0]), int(codes[-1])
        return {"+": a + b, "-": a - b, "*": a * b, "neg": -a, "abs": abs(a)}.get(operator)

    def guarded(self, known: str, write: Callable[[str], None]) -> Operand:
        """A variable that some code sets where operands are known."""
        if len(known) > SIMPLE:
            known = self.temporary(known, "known")
        name = self.out.names.fresh("x")
        if not known:
            write(name)
            return Operand(name)
        self.out.line(f"{name} = 0")
        with self.out.block(f"if {bare(known)}:"):
            write(name)
        return Operand(name, known)

    def contained(self, operator: str, codes: Sequence[str]) -> str:
        """`in` and `not in`."""
        items = ", ".join(map(bare, codes[1:]))
        return f"({codes[0]} {operator} ({items}{',' if len(codes) == 2 else ''}))"

    def coalesce(self, type_: Type, operands: Sequence[Operand]) -> Operand:
        """The first operand that is not missing."""
        needed: list[Operand] = []
        for operand in operands:
            needed.append(self.brief(operand))
            if not operand.known:
                break
        code = needed[-1].code
        for operand in reversed(needed[:-1]):
            code = f"({operand.code} if {bare(operand.known)} else {code})"
        if not needed[-1].known:
            return Operand(code)
        return Operand(code, "(" + " or ".join(operand.known for operand in needed) + ")")

    def division(self, expression: Operation, operands: Sequence[Operand], known: str) -> Operand:
        """`//` and `%`: by zero they are missing, and the least integer by -1 is an overflow."""
        left, right = operands
        divisor = expression.operands[1]
        constant = self.constant_of(divisor)
        if constant == 0:
            return Operand("0", "False")
        if constant is None:
            right = self.brief(right)
            known = both(known, f"{right.code} != 0")
        safe = constant is not None and constant != -1
        if left.code.lstrip("-").isdigit() and constant == -1:
            left = Operand(self.temporary(left.code), left.known)
        if safe:
            return Operand(f"({left.code} {expression.operator} {right.code})", known)

        def divide(name: str) -> None:
            if expression.operator == "%":
                self.out.line(f"{name} = {self.modulo(left.code, right.code)}")
                return
            with self.out.block(f"if {right.code} == -1 and {left.code} == {self.least()}:"):
                self.fault("overflow", INTEGER_FAULT, expression.span)
            self.out.line(f"{name} = {left.code} // {right.code}")

        return self.guarded(known, divide)

    def constant_of(self, expression: Expression) -> int | None:
        """The integer that an expression always is, if it is a literal or an undated parameter."""
        value: object = None
        if isinstance(expression, Literal):
            value = expression.value
        elif isinstance(expression, ParameterValue):
            value = self.ruleset.parameters[expression.parameter].value
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def least(self) -> str:
        """The least integer of 64 bits."""
        return str(INTEGER_MIN)

    def modulo(self, left: str, right: str) -> str:
        """`%` by what is not zero."""
        return f"{left} % {right}"

    def signed(self, operator: str, code: str, name: str, span: Span, message: str) -> None:
        """Write the negative or the value without its sign."""
        with self.out.block(f"if {code} == {self.least()}:"):
            self.fault("overflow", message, span)
        self.out.line(f"{name} = -{code}" if operator == "neg" else f"{name} = abs({code})")

    # Times.

    def start_of(self, unit: str, code: str, name: str) -> None:
        """Write the start of a local day, month or year."""
        self.out.line(f"{name} = {self.call(f'start_of_{unit}', bare(code))}")

    def shift(self, unit: str, operator: str, codes: Sequence[str], name: str, span: Span) -> None:
        """Write a time plus or minus a period."""
        instant, count = codes
        count = count if operator == "+" else f"-{count}" if count.isidentifier() or count.isdigit() else f"-({count})"
        self.out.line(f"{name} = {self.call(f'add_{unit}', bare(instant), count)}")
        if unit == "workdays":
            with self.out.block(f"if {name} == NOT_WORKED:"):
                self.fault("calendar", self.calendar_fault(), span)
        with self.out.block(f"if {name} == NEVER:"):
            self.fault("overflow", TIME_FAULT, span)

    def calendar_fault(self) -> str:
        """What the calendar says of days that it does not know."""
        calendar = self.ruleset.calendar
        try:
            return "" if calendar is None else str(calendar.nth_working_day_after(calendar.last_day, 1))
        except ArithmeticFault as fault:
            return str(fault)

    def call(self, function: str, *arguments: str) -> str:
        """A call of a function of the zone or the calendar."""
        return f"{function}({', '.join(arguments)})"

    # What is computed ahead.

    def compute_ahead(self, roots: Sequence[Expression], lets: Sequence[Expression]) -> None:
        """Write what has to be computed ahead, each with its fault kept for whoever needs the value."""
        for part in computed_ahead([*lets, *roots], lets):
            if (id(part), self.before) in self.ahead:
                continue
            name = self.out.names.fresh("ahead")
            fault = self.out.names.fresh(f"{name}_fault")
            self.out.line(f"{fault} = 0")
            self.out.line(f"{name} = {self.missing(part.type)}")
            self.unknown(name)
            outer, self.capture = self.capture, fault
            with self.once():
                operand = self.value(part)
                self.put(name, operand)
                self.out.line("break")
            self.capture = outer
            self.ahead[id(part), self.before] = (fault, self.held(name))


def fits(number: int) -> bool:
    """Whether an integer fits into 64 bits."""
    return INTEGER_MIN <= number <= INTEGER_MAX
