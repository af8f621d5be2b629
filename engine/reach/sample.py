"""Made-up complaints with the skew of a marketplace: seeded, in order of time, one at a time.

A few sellers have very many facts and most about three. Complainants and their rights are drawn by rank, the first
twice as often as the second pair, as often as the next four, and so on, which is Zipf's law in steps. Some complaints
bring others by the same complainant within 72 hours; some are withdrawn, or reversed on appeal. Nothing but additions,
multiplications and the generator of `random.Random` goes into a sample, so that a seed gives the same on any machine.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from ..ground.problems import RunError
from ..model import Ruleset

Row = tuple[str, ...]
"""A fact as the texts of `COLUMNS`, as CSV has them; the empty text is missing."""

COLUMNS = (
    "kind",
    "at",
    "seller",
    "complaint",
    "complainant",
    "right",
    "finding",
    "level",
    "special",
    "base",
    "filed_at",
)
"""The columns of a sample: those of the kinds `upheld`, `withdrawal` and `reversal` of `ip-complaints`."""

KINDS = ("upheld", "withdrawal", "reversal")
FIRST_DAY = date(2015, 1, 1)
DAYS = 730
DAY = 86_400

REPEATED = 0.15  # of the complaints bring one to three more within 72 hours
WITHDRAWN = 0.03  # of the complaints are withdrawn within 30 days
REVERSED = 0.015  # are reversed within 60 days
FROM_FEW = 0.2  # of the complaints concern the few sellers that have many
RIGHTS = 3  # octaves of rights that a complainant has, that is seven
BY_THE_USUAL = 0.5  # come from the complainant who complains of that seller most
AT_MOST = 100_000  # facts, about, of one of the few

FINDINGS = (*("counterfeit",) * 9, "improper_use", *("counterfeit",) * 9, "general", "serious", "other_misuse")
LEVELS = ("", "", "information", "", "information", "confirmed", "")
SPECIALS = (*("",) * 30, "true", *("false",) * 10)
BASES = ("2", "2", "4", "2", "6", "8", "2", "12", "")
TRAITS = tuple(itertools.product(FINDINGS, LEVELS, SPECIALS, BASES))

IN_MEMORY = 500_000
"""How many rows are shuffled at a time."""


def rows(facts: int, seed: int = 0, subjects: int | None = None) -> Iterator[Row]:
    """Complaints, withdrawals and reversals over about two years, by their instants.

    Memory holds what is to come within days, never what was.

    Parameters
    ----------
    facts : int
        How many facts.
    seed : int
        Which sample: the same facts for the same numbers.
    subjects : int, optional
        How many sellers there are; without it, a quarter of the facts. Some may have no fact.

    Yields
    ------
    tuple of str
        The texts of `COLUMNS`; times are local, to the second.

    Examples
    --------
    >>> [row[:4] for row in rows(2, seed=1)]
    [('upheld', '2015-03-08T14:59:46', 's0', 'c1'), ('upheld', '2017-07-05T01:18:40', 's0', 'c2')]
    """
    chance = random.Random(seed).random
    sellers = max(1, facts // 4 if subjects is None else subjects)
    scale, octaves = few_sellers(facts, sellers)
    few = ((1 << octaves) - 1) * scale
    complainants = max(3, (facts // 50).bit_length())
    traits, kinds_of_traits = TRAITS, len(TRAITS)
    days = [(FIRST_DAY + timedelta(n - 7)).isoformat() for n in range(2 * DAYS)]
    minutes = [f"{n // 60:02}:{n % 60:02}" for n in range(1440)]
    gap = DAYS * DAY * (1 + 2 * REPEATED) * (1 + WITHDRAWN + REVERSED) / max(1, facts)
    waiting: list[tuple[int, int, int, int, int, int]] = []  # second, number, kind, seller, then what the kind needs
    fresh = complaint = number = 0
    second = int(gap * chance())
    for number in range(facts):
        if waiting and waiting[0][0] <= second:
            now, _, kind, seller, first, right = heapq.heappop(waiting)
        else:
            now, kind = second, 0
            fresh += 1
            second = int(gap * (fresh + chance()))
            if octaves and chance() < FROM_FEW:
                seller = rank(chance() * octaves, scale) - scale
            else:
                seller = few + int(chance() * (sellers - few))
            if chance() < BY_THE_USUAL:
                first, right = rank((seller * 0x9E3779B1 & 0xFFFFFFFF) / 0x1_0000_0000 * complainants), 1
            else:
                first, right = rank(chance() * complainants), rank(chance() * RIGHTS)
            if chance() < REPEATED:
                for _ in range(1 + int(chance() * 3)):
                    heapq.heappush(waiting, (now + 1 + int(chance() * 3 * DAY), number, 0, seller, first, right))
        day = now // DAY
        at = f"{days[day + 7]}T{minutes[now % DAY // 60]}:{now % 60:02}"
        if kind:
            yield (KINDS[kind], at, f"s{seller}", f"c{first}", "", "", "", "", "", "", "")
            continue
        complaint += 1
        fate = chance()
        if fate < WITHDRAWN:
            heapq.heappush(waiting, (now + 1 + int(chance() * 30 * DAY), number, 1, seller, complaint, 0))
        elif fate < WITHDRAWN + REVERSED:
            heapq.heappush(waiting, (now + 1 + int(chance() * 60 * DAY), number, 2, seller, complaint, 0))
        finding, level, special, base = traits[int(chance() * kinds_of_traits)]
        filed_at = days[day + 6 - int(chance() * 6)]
        complainant = f"p{first}"
        name = f"{complainant}-r{right}"
        yield ("upheld", at, f"s{seller}", f"c{complaint}", complainant, name, finding, level, special, base, filed_at)


def few_sellers(facts: int, sellers: int) -> tuple[int, int]:
    """The few sellers with many facts, in octaves, each twice as many as the last and together as often drawn from.

    Gives how many the first octave has, and how many octaves there are.
    """
    octaves = min(10, (sellers // 8).bit_length())
    scale = 1
    while octaves and FROM_FEW * facts > AT_MOST * octaves * scale and ((1 << octaves) - 1) * scale * 4 < sellers:
        scale *= 2
    return scale, octaves


def rank(number: float, scale: int = 1) -> int:
    """A rank from a number of octaves: from `scale` on, each octave of ranks twice as long as the last."""
    octave = int(number)
    return int((scale << octave) * (1 + number - octave))


def shuffled(given: Iterable[Row], facts: int, seed: int = 0) -> Iterator[Row]:
    """The rows in an order drawn by chance; beyond `IN_MEMORY` rows they wait in temporary files.

    Parameters
    ----------
    given : iterable of tuple of str
        The rows.
    facts : int
        How many there are, about.
    seed : int
        Which order.
    """
    chance = random.Random(seed)
    if facts <= IN_MEMORY:
        kept = list(given)
        chance.shuffle(kept)
        yield from kept
        return
    with contextlib.ExitStack() as stack:
        heaps = [
            stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(1 + facts // IN_MEMORY)
        ]
        for row in given:
            heaps[int(chance.random() * len(heaps))].write("\t".join(row) + "\n")
        for heap in heaps:
            heap.seek(0)
            lines = heap.readlines()
            heap.close()
            chance.shuffle(lines)
            for line in lines:
                yield tuple(line[:-1].split("\t"))


def record(row: Row) -> dict[str, str | int | bool]:
    """A row as a mapping without what is missing, such as `Ruleset.run` takes."""
    found: dict[str, str | int | bool] = {name: text for name, text in zip(COLUMNS, row, strict=True) if text}
    if "special" in found:
        found["special"] = found["special"] == "true"
    if "base" in found:
        found["base"] = int(found["base"])
    return found


def check_ruleset(ruleset: Ruleset) -> None:
    """See that a ruleset takes a sample's facts: it has the kinds and their fields, and needs no others.

    Raises
    ------
    RunError
        Where it does not.
    """
    given = {"kind", "at", ruleset.subject}
    for name in KINDS:
        kind = ruleset.kinds_by_name.get(name)
        if ruleset.subject != COLUMNS[2] or kind is None or not kind.given:
            what = f"`{name}` of a `{COLUMNS[2]}`"
        else:
            filled = set(COLUMNS if name == "upheld" else COLUMNS[:4]) - given
            lacks = sorted(filled - kind.slots.keys()) or [
                f.name for f in kind.fields if f.required and f.name not in filled
            ]
            if not lacks:
                continue
            what = f"`{name}` with `{lacks[0]}`"
        raise RunError(
            f"`{ruleset.name}` takes no fact {what}; a sample suits rulesets of the vocabulary `ip-complaints`"
        )
