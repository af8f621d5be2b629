"""Requests about logs, their rulesets, and the service itself."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from ..service import types
from .asking import Instant, get, instant, part_of, path_of, post, whole
from .calls import Request


def logs() -> Request[list[str]]:
    """The names of the logs."""
    return get(part_of(types.Logs, lambda found: found.logs), "logs")


def create(log: str) -> Request[types.LogInfo]:
    """Make a log; its name has the letters a to z, digits and hyphens, 64 at most."""
    return Request("POST", path_of("logs", log), whole(types.LogInfo), repeatable=False)


def log_info(log: str) -> Request[types.LogInfo]:
    """A log's last position, and the ruleset in force."""
    return get(whole(types.LogInfo), "logs", log)


def activations(log: str) -> Request[list[types.Activation]]:
    """The activations of a log, in the order in which they became known."""
    return get(part_of(types.Activations, lambda found: found.activations), "logs", log, "activations")


def bundle(log: str) -> Request[bytes]:
    """The ruleset by which a log takes facts, with every text that it is made of, in canonical JSON."""
    return get(lambda reply: reply.content, "logs", log, "bundle")


def activate(
    log: str,
    ruleset: str | None = None,
    *,
    text: str | None = None,
    from_: Instant | None = None,
    set: Mapping[str, str | int | bool] | None = None,
    key: str | None = None,
) -> Request[types.Activation]:
    """Put a ruleset in force from an instant on.

    Parameters
    ----------
    log : str
        The log.
    ruleset : str, optional
        The name of a ruleset of the service.
    text : str, optional
        The text of one, in its place.
    from_ : str or datetime, optional
        The instant; else the moment at which the log takes it.
    set : mapping, optional
        Parameters to override.
    key : str, optional
        The idempotency key; else one by chance, so that only this call itself may be repeated.

    Raises
    ------
    Unprocessable
        Where the ruleset has errors, or would refuse facts that the present one takes.
    """
    body = {"ruleset": ruleset, "text": text, "from": instant(from_), "set": dict(set) if set else None}
    sent = {name: value for name, value in body.items() if value is not None}
    # Without an instant it is another activation each time that it is sent.
    repeatable = from_ is not None
    return post(
        whole(types.Activation),
        sent,
        "logs",
        log,
        "activations",
        repeatable=repeatable,
        key=key or (uuid.uuid4().hex if repeatable else None),
    )


def rulesets() -> Request[list[types.RulesetInfo]]:
    """The rulesets that can be activated by name."""
    return get(part_of(types.Rulesets, lambda found: found.rulesets), "rulesets")


def ruleset(name: str) -> Request[types.RulesetDocument]:
    """A ruleset: its text, and as a document."""
    return get(whole(types.RulesetDocument), "rulesets", name)


def check(text: str, name: str = "ruleset.yaml") -> Request[types.Checked]:
    """Every problem of a ruleset's text, with its place."""
    return post(whole(types.Checked), {"text": text, "name": name}, "rulesets", "check")


def diff(before: str, after: str, lang: str = "en") -> Request[types.Diff]:
    """What changed between two rulesets: each a name, the hash of a version that a log has, or a text."""
    return post(whole(types.Diff), {"before": before, "after": after, "lang": lang}, "rulesets", "diff")


def health() -> Request[types.Health]:
    """Whether the service lives; needs no key."""
    return Request("GET", "/healthz", whole(types.Health))


def ready() -> Request[types.Readiness]:
    """Whether the service can answer; needs no key."""
    return Request("GET", "/readyz", whole(types.Readiness))


def metrics() -> Request[str]:
    """What the service counts, as text that Prometheus reads; needs no key."""
    return Request("GET", "/metrics", lambda reply: reply.content.decode(errors="replace"))
