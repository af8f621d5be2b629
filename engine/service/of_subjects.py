"""What is answered about a subject: decisions, status, pending, journal, why, why not, and remedies."""

from __future__ import annotations

import json as standard_json
from typing import Any

from ..ahead.deadlines import deadlines
from ..ahead.goals import severity_of
from ..ahead.remedies import MOST_FACTS, remedies
from ..ahead.sanctions_ahead import next_sanctions
from ..ahead.tell_deadlines import as_dict
from ..machine.timeline import SubjectRun
from ..speech.outcome import FOREVER, GOOD_STANDING
from ..why.explanation import Explainer
from ..why.questions import Question, instants, kind_named, not_there, nothing_concluded, sanctions
from . import bodies, types
from .decisions import Reading, decision, facts_of, rejected, standing, timed
from .journals import INSTANTS, Journals
from .of_logs import json, next_link
from .problems import Refusal
from .routes import Answer, Call, checked

WIDTH = 100
MOST_EXPLAINED = 20
"""How many facts, the newest, are explained where a question fits more."""


def decide(call: Call) -> Answer:
    """`POST /v1/logs/{log}/decide`."""
    service = call.service
    body = bodies.typed(bodies.parse(call.body), types.DecideBody)
    if body.subject is not None:
        checked("subject", body.subject)
        if not body.subject:
            raise Refusal("invalid", "`subject` is empty")
    elif body.facts is None:
        raise Refusal("invalid", "say which `subject`, or give its `facts`")
    if body.facts is None:
        reading = service.decider.read(call.path["log"], str(body.subject), body.as_of, body.known)
    else:
        if len(body.facts) > service.limits.facts:
            raise Refusal("too-large", f"at most {service.limits.facts:,} facts are decided inline")
        reading = service.decider.given(call.path["log"], body.subject, body.facts, body.as_of, body.known)
    found = service.decider.kept(reading)
    service.metrics.count("decisions_total")
    what_if = None if body.what_if is None else _what_if(call, reading, body.what_if)
    return Answer(decision(reading, found, what_if))


def decide_quickly(call: Call) -> Answer | None:
    """The same, where little is to be read and to be run: the most frequent question, about a subject as of now."""
    service = call.service
    body = bodies.typed(bodies.parse(call.body), types.DecideBody)
    if not body.subject or not (body.facts is None and body.as_of is None and body.known is None):
        return None
    if body.what_if is not None:
        return None
    reading = service.decider.glance(call.path["log"], checked("subject", body.subject))
    found = None if reading is None else service.decider.kept_quickly(reading)
    if reading is None or found is None:
        return None
    service.metrics.count("decisions_total")
    return Answer(decision(reading, found))


def _what_if(call: Call, reading: Reading, supposed: types.WhatIf) -> bytes:
    """What would be otherwise, as JSON."""
    service = call.service
    if len(supposed.add) + len(supposed.remove) > service.limits.facts:
        raise Refusal("too-large", f"at most {service.limits.facts:,} facts can be supposed")
    added = facts_of(reading.ready.binder, supposed.add, "/what_if/add", reading.subject)
    outcome = service.decider.outcome(reading)
    call.in_time()
    found = outcome.what_if(add=added, remove=supposed.remove, set=supposed.set or None)
    return standard_json.dumps(found.as_dict(), ensure_ascii=False).encode()


def _read(call: Call) -> Reading:
    """What the log has of the subject that a request names."""
    query = call.query
    return call.service.decider.read(call.path["log"], call.path["subject"], query.get("as_of"), query.get("known"))


def _whole(call: Call, reading: Reading) -> SubjectRun:
    """The whole run of a subject of which there are facts."""
    if not reading.history.facts:
        whom = reading.ready.ruleset.model.subject
        raise Refusal("no-such-subject", f"no fact names the {whom} as known at the instant asked about")
    run = call.service.decider.run(reading)
    if run.rejection is not None:
        raise rejected(reading.ready, run.rejection)
    return run


def _language(call: Call) -> str:
    return call.query.get("lang", "en")


def status(call: Call) -> Answer:
    """`GET /v1/logs/{log}/subjects/{subject}`."""
    reading = _read(call)
    return json(standing(reading, call.service.decider.kept(reading)))


def pending(call: Call) -> Answer:
    """`GET …/pending`."""
    reading = _read(call)
    run = call.service.decider.run(reading)
    if run.rejection is not None:
        raise rejected(reading.ready, run.rejection)
    model = reading.ready.ruleset.model
    rerun = timed(call.in_time, reading.ready.ruleset.rerun(reading.subject))
    found = [as_dict(model, deadline) for deadline in deadlines(model, run, rerun)]
    return json(types.Pending(**reading.about(), pending=found))


def journal(call: Call) -> Answer:
    """`GET …/journal`."""
    answer, following = _page(call, call.path["log"], call.path["subject"])
    if following is None:
        return json(answer)
    log = call.service.decider.log(call.path["log"])
    zone = call.service.decider.newest(log).ruleset.model.zone
    fixed = {"as_of": answer.as_of, "known": answer.known}
    return json(answer, 200, next_link(call, **fixed, after=zone.format(following)))


def _page(call: Call, log: str, subject: str) -> tuple[types.Journal, int | None]:
    """A page of the journal that a request asks for, and the instant after which the next begins."""
    service = call.service
    opened = service.decider.log(log)
    after = service.decider.instant(opened, "after", call.query.get("after"))
    begin = -FOREVER if after is None else after
    most = call.number("limit", service.limits.page, 1, service.limits.page)
    found = Journals(service.shelf, service.histories, call.in_time)
    with service.decider.snapshot(opened, call.query.get("as_of"), call.query.get("known")) as snapshot:
        ready = service.shelf.ready(snapshot.in_force().bundle)
        instants = found.instants(log, snapshot, subject, begin)
        until = instants[INSTANTS - 1] if len(instants) > INSTANTS else snapshot.as_of
        lines = found.lines(log, snapshot, subject, begin, until)
        if len(lines) > most:
            cut = most
            while cut < len(lines) and lines[cut].at == lines[cut - 1].at:
                cut += 1
            if cut < len(lines):
                lines, until = lines[:cut], lines[cut - 1].at
        zone = ready.ruleset.model.zone
        answer = types.Journal(
            subject=subject,
            as_of=zone.format(snapshot.as_of),
            known=zone.format(snapshot.known),
            position=snapshot.position,
            ruleset=ready.ref,
            journal=[line.as_line() for line in lines],
        )
        return answer, until if until < snapshot.as_of else None


def why(call: Call) -> Answer:
    """`GET …/why`."""
    reading = _read(call)
    run = _whole(call, reading)
    model = reading.ready.ruleset.model
    explainer = Explainer(model, run)
    asked = call.query.get("fact")
    if asked is None:
        entries = sanctions(run)
        if not entries:
            raise Refusal("no-such-fact", str(nothing_concluded(model, run)))
        proof = explainer.why(entries[-MOST_EXPLAINED:], status=_status(call, reading))
    else:
        question = Question.of(model, asked)
        entries = question.among(model, run)
        if not entries:
            raise not_there(model, run, question)
        proof = explainer.why(entries[-MOST_EXPLAINED:])
    text = proof.text(_language(call), WIDTH)
    return json(types.Explanation(**reading.about(), explanation=proof.as_dict(), text=text))


def _status(call: Call, reading: Reading) -> Any:
    return call.service.decider.kept(reading).status(reading.as_of)


def why_not(call: Call) -> Answer:
    """`GET …/why-not`."""
    reading = _read(call)
    run = _whole(call, reading)
    model = reading.ready.ruleset.model
    at = call.query.get("at")
    span = None if at is None else instants(model, at)
    rerun = timed(call.in_time, reading.ready.ruleset.rerun(reading.subject))
    answer = Explainer(model, run, rerun).why_not(kind_named(model, call.query["kind"]), span)
    text = answer.text(_language(call), WIDTH)
    return json(types.Explanation(**reading.about(), explanation=answer.as_dict(), text=text))


def remedies_of(call: Call) -> Answer:
    """`GET …/remedies`."""
    log = call.service.decider.log(call.path["log"])
    wanted = call.query.get("status", GOOD_STANDING)
    if wanted != GOOD_STANDING:  # One that is none is refused before anything of the subject is read.
        with call.service.decider.snapshot(log, call.query.get("as_of"), call.query.get("known")) as snapshot:
            severity_of(call.service.shelf.ready(snapshot.in_force().bundle).ruleset.model, wanted)
    reading = _read(call)
    run = _whole(call, reading)
    ruleset = reading.ready.ruleset
    model = ruleset.model
    rerun = timed(call.in_time, ruleset.rerun(reading.subject))
    by = call.service.decider.instant(log, "by", call.query.get("by"))
    most = call.number("most", MOST_FACTS, 1, 5)
    undo = call.query.get("undo")
    found = remedies(model, run, rerun, wanted=wanted, undo=undo, by=by, most=most)
    ahead = next_sanctions(model, run, rerun, most)
    language = _language(call)
    text = f"{found.text(language, WIDTH)}\n\n{ahead.text(language, WIDTH)}"
    more = ahead.as_dict()
    both = {**found.as_dict(), **{name: more[name] for name in ("next", "pending", "complete")}}
    return json(types.Remedies(**reading.about(), remedies=both, text=text))
