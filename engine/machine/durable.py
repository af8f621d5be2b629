"""The one place that knows durable_rules: its Rete network tells which of many conditions hold for a fact.

The network is written in C. It matches well inside a narrow profile and is unsafe outside it, so this module
holds it tightly. A fact is a row of integers, asserted and never retracted; a rule is a conjunction of
comparisons with constants; nothing is joined, counted or negated. In place of the library's host, its timers
and its threads a short loop drives the extension module itself, and the library calls no function of ours, so
that no exception can come to rest in it.

Facts live in a session (the library's `sid`). One session is open at a time; after some facts it is deleted
with all that it holds, and the next begins. Every fact fires at least one rule, the witness, and every firing
repeats its fact to the letter: what the library loses, refuses or changes is an `EngineFault`, never a wrong
answer.
"""

from __future__ import annotations

import json
import struct
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..ground.problems import StrikeoutError

BOUND = 2**53
"""Features and constants lie strictly between -BOUND and BOUND."""

OPERATORS = {"==": "$eq", "!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
"""Every operator of a test, and what the library calls it."""

# The library fails on a fact that satisfies more than 64 tests or has more than 253 properties; half of that
# is used. The tests that wait at one time lead to different rules: there are never more of them than rules.
RULES_AT_MOST = 32  # in one network, with the witness
FEATURES_AT_MOST = 126  # in one network

# To begin a session takes 12 kB of memory a rule, a fact in it 7 kB; beyond this number facts get no cheaper.
FACTS_PER_SESSION = 32

# The library knows facts and sessions by a hash of their numbers; where two meet, the next number is tried.
TRIES = 8

WITNESS = "w"
"""The rule that fires for every fact, and the property by which it does."""

_STORED, _OBSERVED = 0, 2  # what asserting a fact answers


class MatcherUnavailable(StrikeoutError):
    """durable_rules cannot be used with this Python."""


class EngineFault(RuntimeError):
    """durable_rules lost, refused or changed a fact, or failed: there is no answer."""


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison of a feature with a constant by one of `== != < <= > >=`.

    What a fact lacks satisfies no test, `!=` neither.
    """

    feature: str
    operator: str
    constant: int


Conjunction: TypeAlias = tuple[Test, ...]
"""Tests that must all hold; an empty one always holds."""


def available() -> bool:
    """Whether durable_rules can be used with this Python."""
    try:
        library()
    except MatcherUnavailable:
        return False
    return True


def library() -> Any:
    """The extension module of durable_rules; its Python half is not needed.

    Raises
    ------
    MatcherUnavailable
        If it cannot be imported, or would cut integers off.
    """
    try:
        import durable_rules_engine
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise MatcherUnavailable(
            f"the engine `rete` needs durable_rules, which is made for Python before 3.13 and cannot be"
            f" imported by this Python {version}; the engine `compiled` gives the same answers"
        ) from error
    if struct.calcsize("l") < 8:
        raise MatcherUnavailable(
            "the engine `rete` needs a platform whose C type `long` has 64 bits; the engine `compiled` gives"
            " the same answers"
        )
    return durable_rules_engine


class Matcher:
    """The conditions of some rules, compiled; it tells which of them hold for a fact.

    Threads may share a matcher: they take turns. Matchers have nothing in common with each other. What one
    holds in the library is given back when it goes.

    Parameters
    ----------
    name : str
        What faults call it: a stratum and a kind of fact, say.
    conditions : sequence of sequences of Conjunction
        For each rule its alternatives: its condition holds where one of them does, and never without any.

    Raises
    ------
    MatcherUnavailable
        If durable_rules cannot be used with this Python.
    ValueError
        If a test has an unknown operator or a constant that is no integer between -2**53 and 2**53, or if one
        conjunction reads more than 126 features.
    EngineFault
        If the library refuses the rules.

    Examples
    --------
    >>> counterfeit = Test("finding", "==", 0)
    >>> matcher = Matcher("upheld", [[(counterfeit, Test("earlier", ">=", 2))], [(counterfeit,)], [()]])
    >>> matcher.match({"finding": 0, "earlier": 1})
    [1, 2]
    >>> matcher.match({"finding": 3})
    [2]
    """

    def __init__(self, name: str, conditions: Sequence[Sequence[Conjunction]]) -> None:
        engine = library()
        self._always = {rule for rule, alternatives in enumerate(conditions) if not all(alternatives)}
        self._lock = threading.Lock()
        self._networks: list[_Network] = []
        weakref.finalize(self, _free, self._networks).atexit = False
        for part in _split(_by_conjunction(conditions)):
            self._networks.append(_Network(engine, name, part))

    def match(self, features: Mapping[str, int]) -> list[int]:
        """Tell which conditions hold for a fact.

        Parameters
        ----------
        features : mapping of str to int
            The fact. What no condition reads is not looked at; a test of a missing feature does not hold.

        Returns
        -------
        list of int
            The positions of the rules among `conditions`, ascending.

        Raises
        ------
        ValueError
            If a feature that is read is no integer between -2**53 and 2**53.
        EngineFault
            If the library did what it must not. The matcher can be asked again.
        """
        matched = self._always.copy()
        with self._lock:
            for network in self._networks:
                network.match(features, matched)
        return sorted(matched)


class _Network:
    """One ruleset of the library, within its limits, and the session that is open in it.

    `part` gives for each conjunction the rules that it speaks for, by their positions.
    """

    def __init__(self, engine: Any, name: str, part: Mapping[Conjunction, Iterable[int]]) -> None:
        features = sorted({test.feature for conjunction in part for test in conjunction})
        # The library knows a property by a hash of its name: ours are tested to differ in it.
        properties = {feature: f"p{i}" for i, feature in enumerate(features)}
        definition = {WITNESS: _definition([{"$eq": {WITNESS: 1}}])}
        for rule, conjunction in enumerate(part):
            tests = [{OPERATORS[t.operator]: {properties[t.feature]: int(t.constant)}} for t in conjunction]
            definition[str(rule)] = _definition(tests)
        self._engine = engine
        self._name = name
        self._rules: dict[str, Iterable[int]] = {str(rule): ours for rule, ours in enumerate(part.values())}
        self._rules[WITNESS] = ()
        self._members = {feature: f',"{key}":%d' for feature, key in properties.items()}
        self._template = "".join(self._members.values())
        self._session = 0  # the one that is open, if any
        self._sessions = 0  # how many there were
        self._facts_left = 0
        self._number = 0  # of the last fact
        try:
            self._handle: int = engine.create_ruleset("strikeout", json.dumps(definition))
        except engine.error as error:
            raise self._fault(f"refused the rules: {error}") from error

    def match(self, features: Mapping[str, int], matched: set[int]) -> None:
        """Add to `matched` the rules whose conditions hold."""
        members = self._encode(features)
        # Where anything breaks this off, an interrupt from the keyboard too, the session takes no more facts.
        facts_left, self._facts_left = self._facts_left, 0
        try:
            if not facts_left:
                facts_left = self._renew()
            for _ in range(TRIES):
                self._number += 1
                fired = self._fire(self._number, self._session, members)
                if fired:
                    break
            else:
                raise self._fault("takes every new fact for an old one")
        except self._engine.error as error:
            raise self._fault(f"failed: {error}") from error
        for rule in fired:
            matched.update(self._rules[rule])
        self._facts_left = facts_left - 1

    def free(self) -> None:
        """Give back what the library holds; the network must not be used afterwards."""
        if self._session:
            self._engine.delete_state(self._handle, str(self._session))
        self._engine.delete_ruleset(self._handle)

    def _encode(self, features: Mapping[str, int]) -> str:
        """Write the features that are read as members of a JSON object."""
        template = self._template
        try:
            values: tuple[object, ...] = tuple([features[feature] for feature in self._members])
        except KeyError:
            read = [feature for feature in self._members if feature in features]
            template = "".join([self._members[feature] for feature in read])
            values = tuple([features[feature] for feature in read])
        for value in values:
            if not (isinstance(value, int) and -BOUND < value < BOUND):
                raise ValueError(f"`{self._name}` is asked about what is no integer of 53 bits: `{value!r}`")
        return template % values

    def _renew(self) -> int:
        """Open a session in place of the one that is open; give how many facts it takes.

        The library must not be asked to delete a session in which nothing has fired: each begins with a fact
        without features, which the witness alone sees, and counts as open once that has gone well.
        """
        old, self._session = self._session, 0
        if old:
            self._engine.delete_state(self._handle, str(old))
        self._number = 0
        for _ in range(TRIES):
            self._sessions += 1
            if self._fire(0, self._sessions, ""):
                self._session = self._sessions
                return FACTS_PER_SESSION
        raise self._fault("begins no session")

    def _fire(self, number: int, session: int, members: str) -> list[str]:
        """Assert a fact and fire all that follows; give the names of the library's rules that fired.

        There are none where the library takes the fact for one that it has.
        """
        fact = f'{{"id":{number},"sid":{session},"{WITNESS}":1{members}}}'
        code, state = self._engine.assert_fact(self._handle, fact)
        if code == _OBSERVED:
            return []
        if code != _STORED:
            raise self._fault(f"refused a fact with code {code}: {fact}")
        end = f'":{{"m":{fact}}}}}'
        fired: list[str] = []
        started = self._engine.start_action_for_state(self._handle, state)
        firing: str | None = started[1] if started else None
        while firing is not None:
            rule = firing[2 : -len(end)]
            if rule not in self._rules or rule in fired or not firing.endswith(end):
                raise self._fault(f"fired {firing} for {fact}")
            fired.append(rule)
            firing = self._engine.complete_and_start_action(self._handle, state)
        if WITNESS not in fired:
            raise self._fault(f"lost a fact: {fact}")
        return fired

    def _fault(self, what: str) -> EngineFault:
        return EngineFault(f"durable_rules, as `{self._name}`, {what}")


def _definition(tests: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, object]:
    """A rule of the library: one pattern with these tests."""
    return {"all": [{"m": {"$and": tests}}]}


def _by_conjunction(conditions: Sequence[Sequence[Conjunction]]) -> dict[Conjunction, dict[int, None]]:
    """For each conjunction the rules that it speaks for; rules that always hold need none.

    Conjunctions of the same tests become one. Each has its tests in one order, equalities first, so that in
    the network it ends in a node of its own and shares the way to it with others.
    """
    rules: dict[Conjunction, dict[int, None]] = {}
    for rule, alternatives in enumerate(conditions):
        for conjunction in alternatives:
            for test in conjunction:
                _check(test)
            if all(alternatives):
                tests = set(conjunction)
                order = sorted(tests, key=lambda t: (t.operator != "==", t.feature, t.operator, t.constant))
                rules.setdefault(tuple(order), {})[rule] = None
    return rules


def _check(test: Test) -> None:
    if test.operator not in OPERATORS:
        raise ValueError(f"`{test.operator}` is none of {' '.join(OPERATORS)}")
    constant: object = test.constant
    if not (isinstance(constant, int) and -BOUND < constant < BOUND):
        raise ValueError(f"`{test.feature}` is compared with what is no integer of 53 bits: `{constant!r}`")


def _split(rules: Mapping[Conjunction, Iterable[int]]) -> Iterator[dict[Conjunction, Iterable[int]]]:
    """Parts that each fit into one network, in order."""
    part: dict[Conjunction, Iterable[int]] = {}
    features: set[str] = set()
    for conjunction, positions in rules.items():
        read = {test.feature for test in conjunction}
        if len(read) > FEATURES_AT_MOST:
            raise ValueError(f"a conjunction reads {len(read)} features; {FEATURES_AT_MOST} are the most")
        if part and (len(part) == RULES_AT_MOST - 1 or len(features | read) > FEATURES_AT_MOST):
            yield part
            part, features = {}, set()
        part[conjunction] = positions
        features |= read
    if part:
        yield part


def _free(networks: Iterable[_Network]) -> None:
    for network in networks:
        network.free()
