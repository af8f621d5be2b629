"""What names in an expression mean: fields, `let` names, parameters, the members of enums."""

from __future__ import annotations

from dataclasses import dataclass

from lark import Token, Tree

from ..facts import ID, TEXT, TIME, Type
from ..ground.problems import listing, nearest, shorten
from ..model import Expression, JoinedField, LetValue, Literal, Now, OwnField, ParameterValue, SubjectName
from .expressions import Part, Written
from .scope import Declarations, Refused, Scope


@dataclass(frozen=True, slots=True)
class Namer:
    """Finds what names mean at a place of a rule."""

    written: Written
    scope: Scope

    @property
    def declarations(self) -> Declarations:
        """What the ruleset declares."""
        return self.scope.declarations

    def problem(self, code: str, message: str, part: Part, hint: str = "") -> Refused:
        """Record a problem."""
        return self.declarations.problem(code, message, self.written.span(part), hint)

    def name(self, tree: Tree[Token], expected: Type | None) -> Expression:
        """What a name stands for; an enum's member where that enum is expected, or where no other one has it."""
        name, span = str(tree.children[0]), self.written.span(tree)
        if name == "at":
            return OwnField(TIME, span, name, -1) if self.scope.own is not None else Now(TIME, span)
        if name in self.scope.broken:
            raise Refused
        meanings = self.meanings(name, tree)
        if expected is not None and name in expected.members:
            meanings.append((f"a member of `{expected}`", Literal(expected, span, name)))
        if len(meanings) > 1:
            what = " and ".join(what for what, _ in meanings)
            message = f"`{name}` has more than one meaning here: {what}"
            raise self.problem("ambiguous", message, tree, "rename one of them")
        if meanings:
            return meanings[0][1]
        if expected is None or not expected.is_enum:
            enums = [enum for enum in self.declarations.enums.values() if name in enum.members]
            if len(enums) == 1:
                return Literal(enums[0], span, name)
        raise self.unknown(name, tree, expected)

    def meanings(self, name: str, tree: Tree[Token]) -> list[tuple[str, Expression]]:
        """What a name means here, an enum's member apart, with words for it."""
        scope, declarations, span = self.scope, self.declarations, self.written.span(tree)
        found: list[tuple[str, Expression]] = []
        if scope.own is not None:
            own = scope.own.field(name)
            if own is not None:
                field = OwnField(own.type, span, name, scope.own.slots[name])
                found.append((f"a field of `{scope.own.name}`", field))
        else:
            if name == declarations.subject and scope.triggers:
                found.append(("the subject", SubjectName(ID, span)))
            trigger = scope.trigger_field(name, span)
            if trigger is not None:
                found.append(("a field of the trigger", trigger))
            if name in scope.lets and scope.let_type is not None:
                scope.used_lets.add(name)
                found.append(("a `let`", LetValue(scope.let_type(name), span, scope.lets[name])))
        parameter = declarations.parameters.get(name)
        if parameter is not None:
            number, what = parameter
            if scope.own is not None and what.dated:
                message = f"`where` takes no parameter with dated values: `{name}`"
                raise self.problem("where", message, tree, "compare it outside of `where`")
            found.append(("a parameter", ParameterValue(what.type, span, number)))
        return found

    def unknown(self, name: str, tree: Tree[Token], expected: Type | None) -> Refused:
        """A name that means nothing here."""
        scope, declarations = self.scope, self.declarations
        shown = shorten(name, 40)
        if scope.may_be_broken(name):
            return Refused()
        if expected is not None and expected.is_enum:
            hint = nearest(name, expected.members) or f"its members are {listing(expected.members)}"
            return self.problem("unknown-member", f"`{shown}` is no member of `{expected}`", tree, hint)
        if name in declarations.kinds:
            hint = f"count its facts: `count({name})`"
            return self.problem("unknown-name", f"`{name}` is a kind, not a value", tree, hint)
        if scope.join(name) is not None:
            hint = f"take one of its fields: `{name}.FIELD`"
            return self.problem("unknown-name", f"`{name}` is a fact, not a value", tree, hint)
        if scope.own is not None:
            names = [*(f.name for f in scope.own.fields), *declarations.parameters]
            known = f"`where` knows the fields of `{scope.own.name}`, `at`, literals and parameters"
            return self.problem("unknown-name", f"unknown name `{shown}`: {known}", tree, nearest(name, names))
        if any(kind.field(name) is not None for kind in scope.triggers):
            hint = "only fields that all kinds of `when` share, with one type, can be used"
            return self.problem("unknown-name", f"`{name}` is not a field of every trigger", tree, hint)
        several = [enum.name for enum in declarations.enums.values() if name in enum.members]
        if several:
            message = f"`{shown}` is a member of {listing(several)}; which one is not clear here"
            return self.problem("ambiguous", message, tree, "compare it with a field of that enum")
        names = [*scope.shared_fields(), *scope.lets, *declarations.parameters, *(j.alias for j in scope.joins)]
        members = [member for enum in declarations.enums.values() for member in enum.members]
        hint = nearest(name, [*names, *members])
        if not hint and expected in (TEXT, ID):
            hint = f'put text into double quotes: `"{shown}"`'
        return self.problem("unknown-name", f"unknown name `{shown}`", tree, hint)

    def attribute(self, tree: Tree[Token]) -> Expression:
        """What `ALIAS.FIELD` stands for: a field of a joined fact."""
        owner, name = (str(token) for token in tree.children)
        span = self.written.span(tree)
        joined = self.scope.join(owner) if self.scope.own is None else None
        if joined is None:
            raise self.unknown_owner(owner, name, tree)
        number, join = joined
        kind = join.selection.kind
        if name == "at":
            return JoinedField(TIME, span, name, number, -1)
        if name == self.declarations.subject:
            return SubjectName(ID, span)
        found = kind.field(name)
        if found is None:
            raise self.declarations.unknown_field(kind, name, self.written.span(tree.children[1]))
        return JoinedField(found.type, span, name, number, kind.slots[name])

    def unknown_owner(self, owner: str, name: str, tree: Tree[Token]) -> Refused:
        """What stands before a point and is no joined fact."""
        part = tree.children[0]
        if self.scope.own is not None:
            hint = f"write the field alone: `{shorten(name, 40)}`" if owner == self.scope.own.name else ""
            message = f"`where` looks at the fact's own fields; `{shorten(owner, 40)}` is none of them"
            return self.problem("where", message, part, hint)
        if owner in self.scope.broken or self.scope.partial:
            return Refused()
        if owner in self.declarations.kinds:
            hint = f"take one of its facts: `last({owner}.{name})`, or join it under `with:`"
            return self.problem("unknown-name", f"`{owner}` is a kind, not one fact", part, hint)
        aliases = [join.alias for join in self.scope.joins]
        hint = nearest(owner, aliases) or "facts joined under `with:` have fields"
        return self.problem("unknown-name", f"unknown name `{shorten(owner, 40)}`", part, hint)
