"""The OpenAPI 3.1 document, made of the route table and the types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from . import types
from .keys import SCOPES
from .problems import CODES, MEDIA_TYPE
from .routes import EVENTS, JSON, LINES, TEXT, Query, Route

REFERENCE = "#/components/schemas/{name}"
ALWAYS = ("bad-request", "no-key", "bad-key", "scope", "rate", "overloaded", "too-long", "database")
WITH_BODY = ("bad-body", "too-slow", "too-large", "media-type", "invalid")

SEGMENT = {"type": "string", "minLength": 1}
NAME_OF_LOG = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}

Json = dict[str, Any]


def document(routes: Iterable[Route], version: str) -> Json:
    """The document.

    Parameters
    ----------
    routes : iterable of Route
        The route table.
    version : str
        The version of the service.
    """
    named = [
        kind
        for _, kind in inspect.getmembers(types, inspect.isclass)
        if issubclass(kind, msgspec.Struct) and kind.__module__ == types.__name__
    ]
    _, components = msgspec.json.schema_components(named, ref_template=REFERENCE)
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "strikeout",
            "version": version,
            "summary": "Sanction policies as readable rules: facts in, decisions out, each with its reasons",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {name: _tidy(schema) for name, schema in sorted(components.items())},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": f"A key with a scope: {', '.join(SCOPES)}"}
            },
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
    }


def _tidy(schema: Any) -> Any:
    """A schema with its texts on one line, and open to members that come later where it is an answer."""
    if isinstance(schema, dict):
        return {
            name: " ".join(value.split()) if name == "description" and isinstance(value, str) else _tidy(value)
            for name, value in schema.items()
        }
    return [_tidy(one) for one in schema] if isinstance(schema, list) else schema


def _operation(route: Route) -> Json:
    found: Json = {
        "operationId": _identifier(route),
        "summary": route.summary,
        "description": route.doc,
        "parameters": [
            *(_path_parameter(name) for name in route.parameters),
            *(_parameter(query, "query") for query in route.query),
            *(_parameter(header, "header") for header in route.headers),
        ],
        "responses": _responses(route),
    }
    found["security"] = [{"key": []}] if route.scope else []
    if route.scope:
        found["x-scope"] = route.scope
    if route.body is not None:
        content = {}
        for media in route.body_types:
            content[media] = {"schema": _schema(route.body)} if media == JSON else {"schema": {"type": "string"}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _identifier(route: Route) -> str:
    words = re.findall(r"\w+", route.path.replace("/v1/", "/"))
    return "_".join([route.method.lower(), *words])


def _path_parameter(name: str) -> Json:
    schema = NAME_OF_LOG if name == "log" else SEGMENT
    doc = {
        "log": "The log.",
        "subject": "The subject, percent-encoded: any text, slashes too.",
        "name": "A name, or the hash of a version.",
    }
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": doc[name]}


def _parameter(query: Query, where: str) -> Json:
    found: Json = {"name": query.name, "in": where, "schema": dict(query.schema), "description": query.doc}
    if query.required:
        found["required"] = True
    return found


def _schema(kind: Any) -> Json:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    return dict(schema)


def _responses(route: Route) -> Json:
    if isinstance(route.answer, str):
        content = {"text/plain" if route.answer == TEXT else route.answer: {"schema": _of_media(route.answer)}}
    else:
        content = {JSON: {"schema": _schema(route.answer)}}
    found: Json = {str(route.status): {"description": route.summary, "content": content}}
    headers = _headers(route)
    if headers:
        found[str(route.status)]["headers"] = headers
    if route.status == 201 and route.method == "POST" and "Idempotency-Key" in {h.name for h in route.headers}:
        found["200"] = {"description": "It was there before", "content": content}
    if "If-None-Match" in {header.name for header in route.headers}:
        found["304"] = {"description": "What the tag was of still holds"}
    if route.path == "/readyz":
        found["503"] = {"description": "The service cannot answer now", "content": content}
        return found
    codes = [*route.refusals]
    if route.scope:
        codes += ALWAYS
    elif route.query or route.method == "GET":
        codes += ["bad-request", "overloaded"]
    if route.body is not None:
        codes += WITH_BODY
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(CODES[code][0], []).append(code)
    for status, names in sorted(by_status.items()):
        described = "; ".join(f"`{name}`: {CODES[name][1]}" for name in names)
        problem = {"schema": {"$ref": REFERENCE.format(name="Problem")}}
        found[str(status)] = {"description": described, "content": {MEDIA_TYPE: problem}}
    return found


def _of_media(media: str) -> Json:
    if media == JSON:
        return {"type": "object"}
    return {
        "type": "string",
        "description": {LINES: "`LoggedFact` a line", EVENTS: "events with an `Event` as data"}.get(media, "text"),
    }


def _headers(route: Route) -> Mapping[str, Json]:
    found: Json = {}
    if "If-None-Match" in {header.name for header in route.headers}:
        found["ETag"] = {"schema": {"type": "string"}, "description": "For `If-None-Match`"}
    if "limit" in {query.name for query in route.query}:
        found["Link"] = {"schema": {"type": "string"}, "description": '`rel="next"`: the next page, where there is one'}
    return found
