"""The OpenAPI document as schemathesis reads it: requests drawn from it, and answers held against it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

pytest.importorskip("starlette", reason="the service needs the extra `service`, which is not installed")
schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from schemathesis import GenerationMode  # noqa: E402
from schemathesis.checks import CHECKS  # noqa: E402
from service_calls import QUICK, Loop, asked, upheld  # noqa: E402

from strikeout.log import open_database  # noqa: E402
from strikeout.service.app import Service  # noqa: E402
from strikeout.service.table import ROUTES  # noqa: E402

EXAMPLES = 10
STREAM = "/v1/logs/{log}/events"
LEFT_OUT = {
    "positive_data_acceptance",
    "ignored_auth",
    "missing_required_header",
    "use_after_free",
    "ensure_resource_availability",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    path: Path = tmp_path_factory.mktemp("schema")
    loop = Loop()
    with open_database(str(path / "log.db")) as database:
        with asked(database, loop) as ask:
            for log in ("0", "counterfeit"):
                assert ask("POST", f"/v1/logs/{log}").status == 201
                body = {"ruleset": "taobao-counterfeit", "from": "2014-01-01"}
                assert ask("POST", f"/v1/logs/{log}/activations", body).status == 201
                fact = {"key": "k", "fact": upheld("0", 1, "2015-01-05")}
                assert ask("POST", f"/v1/logs/{log}/facts", fact).status == 201
        made = Service(database, limits=QUICK)
        yield made
        made.close()
    loop.close()


@pytest.fixture(scope="module")
def document(service: Service) -> Any:
    found = schemathesis.openapi.from_asgi("/v1/openapi.json", service)
    del found.raw_schema["components"]["securitySchemes"]  # Who may do what is tried in `test_service.py`.
    for operations in found.raw_schema["paths"].values():
        for operation in operations.values():
            del operation["security"]
    return found


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("route", [r for r in ROUTES if r.path != STREAM], ids=lambda r: f"{r.method} {r.path}")
def test_answers_are_as_the_document_says(document: Any, route: Any, mode: str) -> None:
    operation = document[route.path][route.method]
    left_out = [check for check in CHECKS.get_all() if check.__name__ in LEFT_OUT]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    def answers(case: Any) -> None:
        if "log" in case.path_parameters and mode == "positive" and route.path != "/v1/logs/{log}":
            case.path_parameters["log"] = "counterfeit"
        case.call_and_validate(excluded_checks=left_out)

    with contextlib.suppress(Unsatisfiable):  # Where there is nothing to get wrong.
        answers()
