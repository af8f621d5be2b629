"""Every request that a client can make, as the methods that both clients have."""

from __future__ import annotations

from . import of_facts, of_rulesets, of_subjects
from .calls import Call, Pages


class Requests:
    """The methods of both clients, by the requests that they make."""

    append = Call(of_facts.append)
    append_many = Call(of_facts.append_many)
    decide = Call(of_subjects.decide)
    status = Call(of_subjects.status)
    pending = Call(of_subjects.pending)
    journal = Pages(of_subjects.journal)
    why = Call(of_subjects.why)
    why_not = Call(of_subjects.why_not)
    remedies = Call(of_subjects.remedies)
    subjects = Pages(of_subjects.subjects)
    export = Pages(of_facts.export)
    export_rows = Pages(of_facts.export_rows)
    logs = Call(of_rulesets.logs)
    create = Call(of_rulesets.create)
    log_info = Call(of_rulesets.log_info)
    activations = Call(of_rulesets.activations)
    activate = Call(of_rulesets.activate)
    rulesets = Call(of_rulesets.rulesets)
    ruleset = Call(of_rulesets.ruleset)
    check = Call(of_rulesets.check)
    diff = Call(of_rulesets.diff)
    health = Call(of_rulesets.health)
    ready = Call(of_rulesets.ready)
    metrics = Call(of_rulesets.metrics)
