"""What generated code calls in the dialect of arrays: integers and arrays only, so that numba can compile it.

Each function runs in plain Python too, where its tests are. Instants are microseconds since 1970 UTC, days are counted
since 1970-01-01; `changes`, `local_changes` and `offsets` are the tables of a time zone, `working` a calendar's days.
"""

from __future__ import annotations

from typing import Any

DAY = 86_400_000_000
NEVER = -(2**63)
MOST = 2**63 - 1
NOT_WORKED = NEVER + 1
FIRST = -62_135_596_800_000_001
LAST = 253_402_300_800_000_000
LOW = 4_294_967_295
PLACE, PREV, JUMP, ORDINAL, AT, STEP, SUMS = 0, 1, 2, 3, 4, 5, 6
CLASS = 16

Array = Any


def places_up_to(values: Array, value: int) -> int:
    """How many of ascending values are at most a value."""
    low, high = 0, values.shape[0]
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


def date_of(at: int, changes: Array, offsets: Array) -> int:
    """The local date of an instant: that which began last."""
    place = places_up_to(changes, at)
    day = int((at + offsets[place]) // DAY)
    if place > 0 and at - changes[place - 1] < DAY:
        return max(day, int((changes[place - 1] + offsets[place - 1] - 1) // DAY))
    return day


def begin_of(day: int, changes: Array, local_changes: Array, offsets: Array) -> int:
    """When a local date begins."""
    place = places_up_to(local_changes, day * DAY)
    begin = int(day * DAY - offsets[place])
    if place < changes.shape[0]:
        return min(begin, int(changes[place]))
    return begin


def instant_of(local: int, local_changes: Array, offsets: Array, earliest: int, latest: int) -> int:
    """The instant of a local time; NEVER beyond the years 1 to 9999."""
    at = int(local - offsets[places_up_to(local_changes, local)])
    if earliest <= at <= latest:
        return at
    return NEVER


def year_of(day: int) -> int:
    """The year of a date."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    return year + era * 400 + (1 if month >= 10 else 0)


def day_of(year: int, month: int, day: int) -> int:
    """The date of a year, month and day of the month."""
    year -= 1 if month <= 2 else 0
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def month_of(day: int, year: int) -> int:
    """The month of a date of a year."""
    month = 1 + (day - day_of(year, 1, 1)) // 31
    while month < 12 and day_of(year, month + 1, 1) <= day:
        month += 1
    return month


def start_of_day(at: int, changes: Array, local_changes: Array, offsets: Array, earliest: int) -> int:
    """The first instant of an instant's local date."""
    return max(begin_of(date_of(at, changes, offsets), changes, local_changes, offsets), earliest)


def start_of_month(at: int, changes: Array, local_changes: Array, offsets: Array, earliest: int) -> int:
    """The first instant of an instant's local month."""
    day = date_of(at, changes, offsets)
    year = year_of(day)
    return max(begin_of(day_of(year, month_of(day, year), 1), changes, local_changes, offsets), earliest)


def start_of_year(at: int, changes: Array, local_changes: Array, offsets: Array, earliest: int) -> int:
    """The first instant of an instant's local year."""
    day = day_of(year_of(date_of(at, changes, offsets)), 1, 1)
    return max(begin_of(day, changes, local_changes, offsets), earliest)


def add_dates(
    at: int, count: int, changes: Array, local_changes: Array, offsets: Array, earliest: int, latest: int
) -> int:
    """The local date moved, the clock kept."""
    count = min(max(count, -8_000_000), 8_000_000)
    local = at + offsets[places_up_to(changes, at)] + count * DAY
    return instant_of(local, local_changes, offsets, earliest, latest)


def add_months(
    at: int, count: int, changes: Array, local_changes: Array, offsets: Array, earliest: int, latest: int
) -> int:
    """The local month moved, the clock kept; a day that the month does not have becomes its last."""
    local = at + offsets[places_up_to(changes, at)]
    day = local // DAY
    clock = local - day * DAY
    year = year_of(day)
    month = month_of(day, year)
    count = min(max(count, -200_000), 200_000)
    months = year * 12 + month - 1 + count
    target = months // 12
    to = months - target * 12 + 1
    if target < 1 or target > 9999:
        return NEVER
    after = day_of(target + (1 if to == 12 else 0), 1 if to == 12 else to + 1, 1)
    first = day_of(target, to, 1)
    moved = min(first + day - day_of(year, month, 1), after - 1)
    return instant_of(moved * DAY + clock, local_changes, offsets, earliest, latest)


def add_workdays(
    at: int,
    count: int,
    changes: Array,
    local_changes: Array,
    offsets: Array,
    earliest: int,
    latest: int,
    working: Array,
    first: int,
) -> int:
    """The end of the n-th working day after an instant's local date; NOT_WORKED beyond the days known."""
    day = date_of(at, changes, offsets)
    place = places_up_to(working, day) + min(count, 1_000_000_000) - 1
    if day < first - 1 or place >= working.shape[0]:
        return NOT_WORKED
    end = begin_of(working[place] + 1, changes, local_changes, offsets)
    if earliest <= end <= latest:
        return end
    return NEVER


def window_start(at: int, length: int) -> int:
    """Where a window of a duration begins; before or after all instants where it would lie outside of them."""
    if length >= LAST - FIRST:
        return FIRST
    if length <= FIRST - LAST:
        return LAST
    return min(max(at - length, FIRST), LAST)


def window_of_dates(at: int, count: int, inclusive: bool, changes: Array, local_changes: Array, offsets: Array) -> int:
    """Where a window of local dates begins."""
    count = min(max(count, -8_000_000), 8_000_000)
    day = date_of(at, changes, offsets) + 1 - count - (1 if inclusive else 0)
    return min(max(begin_of(day, changes, local_changes, offsets), FIRST), LAST)


def window_of_months(
    at: int, count: int, changes: Array, local_changes: Array, offsets: Array, earliest: int, latest: int
) -> int:
    """Where a window of months begins."""
    less = -min(max(count, -200_000), 200_000)
    start = add_months(at, less, changes, local_changes, offsets, earliest, latest)
    if start == NEVER:
        return FIRST if count > 0 else LAST
    return start


def product_fails(a: int, b: int) -> bool:
    """Whether a product lies beyond 64 bits. (It is not computed to find out: compilers take it that it does not.)"""
    if b == 0:
        return False
    if b == -1:
        return a == NEVER
    if b == NEVER:
        return a != 0 and a != 1
    if b > 0:
        return a > MOST // b or a < NEVER // b + (1 if NEVER % b != 0 else 0)
    return a > NEVER // b or a < -(MOST // -b)


def modulo(a: int, b: int) -> int:
    """What `//` leaves, of the divisor's sign; the divisor is not zero."""
    return 0 if b == -1 else a % b


def push_node(N: Array, head: int, at: int, step: int, place: int) -> int:
    """Add a node behind the newest of its key; -1 where there is no room.

    Each node leads to the one before and, by a jump, to one far before: jumps halve the way (a skew-binary list).
    Node 0 stands before all; its place is how many nodes there are.
    """
    new = N[0, PLACE] + 1
    if new >= N.shape[0]:
        return -1
    N[0, PLACE] = new
    jump = N[head, JUMP]
    if N[head, ORDINAL] - N[jump, ORDINAL] == N[jump, ORDINAL] - N[N[jump, JUMP], ORDINAL]:
        N[new, JUMP] = N[jump, JUMP]
    else:
        N[new, JUMP] = head
    N[new, PLACE] = place
    N[new, PREV] = head
    N[new, ORDINAL] = N[head, ORDINAL] + 1
    N[new, AT] = at
    N[new, STEP] = step
    return new  # type: ignore[no-any-return]


def walk(N: Array, node: int, column: int, bound: int) -> int:
    """The newest node, from one back, whose `at` or `step` is at most a bound; 0 where there is none."""
    while node != 0 and N[node, column] > bound:
        jump = N[node, JUMP]
        node = jump if jump != 0 and N[jump, column] > bound else N[node, PREV]
    return node


def oldest(N: Array, node: int, outside: int) -> int:
    """The oldest node from one back to, and without, another."""
    while N[node, PREV] != outside:
        jump = N[node, JUMP]
        node = jump if N[jump, ORDINAL] > N[outside, ORDINAL] else N[node, PREV]
    return node


def push_best(N: Array, new: int, column: int, known: bool, value: int, greatest: bool) -> None:
    """Note a node's value, and the best of those from it back to its jump."""
    N[new, column] = value
    N[new, column + 1] = 1 if known else 0
    N[new, column + 2] = value
    N[new, column + 3] = 1 if known else 0
    head = N[new, PREV]
    if N[new, JUMP] != head:
        for node in (head, N[head, JUMP]):
            if N[node, column + 3] == 1:
                other = N[node, column + 2]
                if N[new, column + 3] == 0 or (other > N[new, column + 2]) == greatest:
                    N[new, column + 2] = other
                    N[new, column + 3] = 1


def best_of(N: Array, node: int, outside: int, column: int, greatest: bool) -> tuple[int, bool]:
    """The best value from a node back to, and without, another, and whether there is one."""
    found, best = False, 0
    while node != outside:
        jump = N[node, JUMP]
        whole = N[jump, ORDINAL] >= N[outside, ORDINAL]
        cell = column + 2 if whole else column
        if N[node, cell + 1] == 1:
            value = N[node, cell]
            if not found or (value > best) == greatest:
                best = value
                found = True
        node = jump if whole else N[node, PREV]
    return best, found


def heap_push(heap: Array, size: int, due: Array, item: int) -> None:
    """Have a scheduled fact wait; the one that is due first, of equal ones scheduled first, lies in front."""
    place = size
    while place > 0:
        above = (place - 1) // 2
        other = heap[above]
        if due[other] < due[item] or (due[other] == due[item] and other < item):
            break
        heap[place] = other
        place = above
    heap[place] = item


def heap_pop(heap: Array, size: int, due: Array) -> int:
    """Take what is due first out of so many."""
    first = heap[0]
    item = heap[size - 1]
    size -= 1
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size:
            left, right = heap[below], heap[below + 1]
            if due[right] < due[left] or (due[right] == due[left] and right < left):
                below += 1
        other = heap[below]
        if due[item] < due[other] or (due[item] == due[other] and item < other):
            break
        heap[place] = other
        place = below
    if size > 0:
        heap[place] = item
    return first  # type: ignore[no-any-return]
