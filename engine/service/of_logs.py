"""What is answered about logs: making them, appending facts, exporting, and the rulesets in force."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from .. import log as logs
from ..log.records import MOST_KEY
from ..reach.streaming import as_row
from ..rows import BadCell, Binder
from ..speech.outcome import to_json
from . import bodies, types
from .decisions import bad_cell, bad_facts, instant_of
from .histories import bound
from .problems import Refusal, safe
from .routes import JSON, LINES, Answer, Call, checked
from .shelf import Version

_encode = msgspec.json.encode


def json(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = (), tag: str = "") -> Answer:
    """An answer in JSON."""
    return Answer(_encode(value), status, JSON, headers, tag)


def segment(text: str) -> str:
    """A text as a segment of a path."""
    return quote(text, safe="")


def next_link(call: Call, **more: str) -> tuple[tuple[str, str], ...]:
    """The header that leads to the next page: the same question, with other parameters."""
    path = call.route.path
    for name, value in call.path.items():
        path = path.replace(f"{{{name}}}", segment(value))
    return (("Link", f'<{path}?{urlencode({**call.query, **more})}>; rel="next"'),)


def list_logs(call: Call) -> Answer:
    """`GET /v1/logs`."""
    return json(types.Logs(logs=call.service.database.logs()))


def create_log(call: Call) -> Answer:
    """`POST /v1/logs/{log}`."""
    name = call.path["log"]
    try:
        log = call.service.database.create(name)
    except logs.BadRecord as error:
        raise Refusal("bad-request", safe(str(error))) from None
    return json(_info(call, log), 201, (("Location", f"/v1/logs/{segment(name)}"),))


def show_log(call: Call) -> Answer:
    """`GET /v1/logs/{log}`."""
    return json(_info(call, call.service.decider.log(call.path["log"])))


def _info(call: Call, log: logs.Log) -> types.LogInfo:
    with log.snapshot() as snapshot:
        head = log.head()
        known_at = ref = None
        if snapshot.activations:
            zone = call.service.decider.newest_of(snapshot).ruleset.model.zone
            known_at = zone.format(head.known_at) if head.position else None
            try:
                ref = call.service.shelf.ready(snapshot.in_force().bundle).ref
            except logs.NoRuleset:
                ref = None
    return types.LogInfo(name=log.name, position=head.position, hash=head.hash, known_at=known_at, ruleset=ref)


def append(call: Call) -> Answer:
    """`POST /v1/logs/{log}/facts`."""
    service = call.service
    given = _given(call)
    if len(given) > service.limits.facts:
        raise Refusal("too-large", f"a batch has at most {service.limits.facts:,} facts")
    log = service.decider.log(call.path["log"])
    ready = service.decider.newest(log)
    binder, zone = ready.binder, ready.ruleset.model.zone
    rows: list[logs.NewFact] = []
    errors: list[types.Fault] = []
    for index, (pointer, fact, key) in enumerate(given):
        try:
            rows.append(logs.new_fact(binder, fact, key))
        except BadCell as error:
            errors.append(bad_cell(error, index, f"{pointer}/fact"))
        except logs.BadRecord as error:
            errors.append(types.Fault(detail=safe(str(error)), index=index, pointer=f"{pointer}/fact"))
    if errors:
        raise bad_facts(errors, len(given))
    try:
        receipts = log.append(rows)
    except logs.BadRecord as error:
        fault = types.Fault(detail=safe(str(error)), index=error.index, pointer=given[error.index][0])
        raise Refusal("facts", fault.detail, [fault]) from None
    fresh = sum(not receipt.duplicate for receipt in receipts)
    service.metrics.count("facts_appended_total", fresh)
    found = [
        types.Receipt(
            key=row.key,
            position=receipt.position,
            known_at=zone.format(receipt.known_at),
            hash=receipt.hash,
            duplicate=receipt.duplicate,
        )
        for row, receipt in zip(rows, receipts, strict=True)
    ]
    return json(types.Receipts(receipts=found), 201 if fresh else 200)


def _given(call: Call) -> list[tuple[str, dict[str, types.Scalar], str]]:
    """The facts of a body: where each stands, its row, and its key."""
    header = call.headers.get("idempotency-key")
    if call.headers.get("content-type", JSON).partition(";")[0].strip().lower() in (LINES, "application/jsonl"):
        found = bodies.lines(call.body)
        pairs = [(f"/{n}", bodies.typed(value, types.NewFact, n)) for n, (_, value) in enumerate(found)]
    else:
        value = bodies.parse(call.body)
        if isinstance(value, list):
            pairs = [(f"/{n}", bodies.typed(one, types.NewFact, n)) for n, one in enumerate(value)]
        else:
            pairs = [("", bodies.typed(value, types.NewFact))]
    if header is not None and (len(pairs) != 1 or pairs[0][0]):
        raise Refusal("bad-request", "the header `Idempotency-Key` is for one fact; in a batch each fact has its `key`")
    given, errors = [], []
    for index, (pointer, fact) in enumerate(pairs):
        key = header if fact.key is None else fact.key
        if not key:
            errors.append(
                types.Fault(detail="missing: every fact has its `key`", index=index, pointer=f"{pointer}/key")
            )
        elif len(key) > MOST_KEY:
            errors.append(types.Fault(detail="the key is too long", index=index, pointer=f"{pointer}/key"))
        elif header is not None and fact.key is not None and fact.key != header:
            raise Refusal("bad-request", "the header `Idempotency-Key` and the member `key` differ")
        else:
            given.append((pointer, fact.fact, key))
    if errors:
        raise Refusal("invalid", errors[0].detail, errors)
    return given


def export(call: Call) -> Answer:
    """`GET /v1/logs/{log}/facts`."""
    after = call.number("after", 0, 0, 2**62)
    most = call.number("limit", call.service.limits.page, 1, 10 * call.service.limits.page)
    rows = call.query.get("format") == "rows"
    log = call.service.decider.log(call.path["log"])
    lines: list[bytes] = []
    with log.snapshot() as snapshot:
        head = log.head()
        last = after
        ready = call.service.decider.newest_of(snapshot) if rows else None
        for record in snapshot.records(after, most):
            last = record.position
            if ready is None:
                lines.append(record.line())
            elif record.kind == logs.FACT:
                fact = bound(ready, record)
                if fact is not None:
                    lines.append(to_json(as_row(ready.ruleset.model, fact)).encode())
        more = last < snapshot.position
        tag = f"{head.hash}-{after}-{most}-{'rows' if rows else 'records'}"
    headers = next_link(call, after=str(last)) if more else ()
    body = b"".join([line + b"\n" for line in lines])
    return Answer(body, 200, LINES, headers, tag)


def subjects(call: Call) -> Answer:
    """`GET /v1/logs/{log}/subjects`."""
    most = call.number("limit", call.service.limits.page, 1, call.service.limits.page)
    log = call.service.decider.log(call.path["log"])
    with call.service.decider.snapshot(log, call.query.get("as_of"), call.query.get("known")) as snapshot:
        found = snapshot.subjects(call.query.get("after", ""), most + 1)
    headers = next_link(call, after=found[most - 1]) if len(found) > most else ()
    return json(types.Subjects(subjects=found[:most]), 200, headers)


def activate(call: Call) -> Answer:
    """`POST /v1/logs/{log}/activations`."""
    service = call.service
    body = bodies.typed(bodies.parse(call.body), types.NewActivation)
    log = service.decider.log(call.path["log"])
    made = _version(call, body)
    key = call.headers.get("idempotency-key")
    if key is not None:
        checked("Idempotency-Key", key)
    if body.from_ is None:
        from_ = log.clock()
    else:
        found = instant_of(Binder(made.ruleset.model), "from", body.from_)
        from_ = 0 if found is None else found
    service.database.put_bundle(made.bundle)
    try:
        receipt = log.append_activation(logs.Activation(made.bundle.hash, from_, key))
    except logs.ActivationRefused as error:
        errors = [types.Fault(detail=safe(text)) for text in error.differences]
        raise Refusal("incompatible", safe(str(error)), errors) from None
    except logs.BadRecord as error:
        raise Refusal("invalid", safe(str(error))) from None
    zone = made.ruleset.model.zone
    ref = types.RulesetRef(name=made.ruleset.name, version=made.ruleset.version, hash=made.bundle.hash)
    answer = types.Activation(
        ruleset=ref, from_=zone.format(from_), known_at=zone.format(receipt.known_at), position=receipt.position
    )
    return json(answer, 200 if receipt.duplicate else 201)


def show_bundle(call: Call) -> Answer:
    """`GET /v1/logs/{log}/bundle`."""
    ready = call.service.decider.newest(call.service.decider.log(call.path["log"]))
    bundle = call.service.database.bundle(ready.ref.hash)
    return Answer(bundle.content, 200, JSON, tag=bundle.hash)


def _version(call: Call, body: types.NewActivation) -> Version:
    """The ruleset that is to be activated."""
    if (body.ruleset is None) == (body.text is None):
        raise Refusal("invalid", "give either `ruleset`, a name, or `text`")
    shelf = call.service.shelf
    if body.text is not None:
        return shelf.from_text(body.text, "ruleset.yaml", body.set)
    name = str(body.ruleset)
    if len(name) == 64 and not body.set:
        return shelf.stored(name)
    return shelf.named(name, body.set)


def activations(call: Call) -> Answer:
    """`GET /v1/logs/{log}/activations`."""
    service = call.service
    log = service.decider.log(call.path["log"])
    with log.snapshot() as snapshot:
        found = []
        for activated in snapshot.activations:
            ready = service.shelf.ready(activated.bundle)
            zone = ready.ruleset.model.zone
            found.append(
                types.Activation(
                    ruleset=ready.ref,
                    from_=zone.format(activated.from_),
                    known_at=zone.format(activated.known_at),
                    position=activated.position,
                )
            )
    return json(types.Activations(activations=found))
