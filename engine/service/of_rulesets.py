"""What is answered about rulesets: listing, showing, checking and comparing them."""

from __future__ import annotations

from ..comparison.tell_policy import policy_difference
from ..documents.markdown import markdown
from ..documents.policy import policy_document
from ..ground.problems import RulesetError
from . import bodies, types
from .of_logs import json
from .problems import Refusal, place
from .routes import Answer, Call
from .shelf import info

WIDTH = 100


def list_rulesets(call: Call) -> Answer:
    """`GET /v1/rulesets`."""
    shelf = call.service.shelf
    found = []
    for name in shelf.folder.names("ruleset"):
        try:
            found.append(info(name, shelf.named(name)))
        except RulesetError as error:
            wrong = sum(not problem.warning for problem in error.problems)
            found.append(types.RulesetInfo(name=name, title=name, version="", hash="", problems=wrong))
        except Refusal:
            continue  # The file went while the list was made.
    return json(types.Rulesets(rulesets=found))


def show_ruleset(call: Call) -> Answer:
    """`GET /v1/rulesets/{name}`."""
    shelf, name = call.service.shelf, call.path["name"]
    stored = len(name) == 64 and all(c in "0123456789abcdef" for c in name)
    version = shelf.stored(name) if stored else shelf.named(name)
    ruleset = version.ruleset
    language = call.query.get("lang", "en")
    model = ruleset.model
    return json(
        types.RulesetDocument(
            name=ruleset.name,
            title=ruleset.title(language),
            version=ruleset.version,
            hash=version.bundle.hash,
            subject=model.subject,
            timezone=model.zone.name,
            text=version.bundle.source.text,
            document=markdown(policy_document(model, language)),
            warnings=[place(problem) for problem in ruleset.warnings],
        )
    )


def check_ruleset(call: Call) -> Answer:
    """`POST /v1/rulesets/check`."""
    body = bodies.typed(bodies.parse(call.body), types.CheckBody)
    try:
        problems = call.service.shelf.from_text(body.text, body.name).ruleset.warnings
        ok = True
    except RulesetError as error:
        problems, ok = error.problems, False
    return json(types.Checked(ok=ok, problems=[place(problem) for problem in problems]))


def diff_rulesets(call: Call) -> Answer:
    """`POST /v1/rulesets/diff`."""
    body = bodies.typed(bodies.parse(call.body), types.DiffBody)
    before, after = call.service.shelf.any(body.before), call.service.shelf.any(body.after)
    found = policy_difference(before.model, after.model)
    return json(types.Diff(difference=found.as_dict(), text=found.text(body.lang, WIDTH)))
