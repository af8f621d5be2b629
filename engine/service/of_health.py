"""What is answered about the service itself: whether it lives, can answer, what it has done, and how to ask it."""

from __future__ import annotations

from .. import log as logs
from . import types
from .of_logs import json
from .problems import safe
from .routes import Answer, Call

VERSION_OF_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def health(call: Call) -> Answer:
    """`GET /healthz`."""
    return json(types.Health(status="ok", version=call.service.version))


def ready(call: Call) -> Answer:
    """`GET /readyz`."""
    service = call.service
    checks = {"database": "ok", "queues": "ok", "service": "stopping" if service.stopping.is_set() else "ok"}
    try:
        service.database.ping()
    except logs.LogError as error:
        checks["database"] = safe(str(error))
    if service.crowded():
        checks["queues"] = "full"
    fine = all(check == "ok" for check in checks.values())
    return json(types.Readiness(status="ok" if fine else "unavailable", checks=checks), 200 if fine else 503)


def metrics(call: Call) -> Answer:
    """`GET /metrics`."""
    return Answer(call.service.metrics.text().encode(), type=VERSION_OF_TEXT)


def openapi(call: Call) -> Answer:
    """`GET /v1/openapi.json`."""
    return Answer(call.service.document)


def nothing(call: Call) -> Answer:
    """What a route that streams answers to one who does not read on."""
    return Answer(b"", 204)
