"""The API as it describes itself, and answers held against that."""

import functools
import json
import re
import subprocess

import jsonschema_rs
import requests
from stack import PROGRAM

METHODS = {"get", "put", "post", "delete"}


def unique(pairs: list[tuple[str, object]]) -> dict:
    """An object whose members have names of their own, which JSON readers do not ask for."""
    found = dict(pairs)
    assert len(found) == len(pairs), [name for name, _ in pairs]
    return found


@functools.cache
def printed(what: str = "openapi") -> str:
    done = subprocess.run([PROGRAM, "check", what], capture_output=True, timeout=30, check=True)
    return done.stdout.decode()


@functools.cache
def document() -> dict:
    return json.loads(printed(), object_pairs_hook=unique)


def closed() -> dict:
    """The same, and nothing is shown but what it names."""
    whole = json.loads(printed())
    for schema in whole["components"]["schemas"].values():
        schema.setdefault("additionalProperties", False)
    return whole


def operations() -> dict[str, dict]:
    """ "GET /path/{id}" -> what is said of it."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


@functools.cache
def patterns() -> list[tuple[re.Pattern, str]]:
    return [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), path)
        for path in document()["paths"]
    ]


@functools.cache
def validator(path: str, method: str, status: str, media: str) -> jsonschema_rs.Validator:
    said = closed()
    schema = said["paths"][path][method]["responses"][status]["content"][media]["schema"]
    return jsonschema_rs.Draft202012Validator(
        schema | {"components": said["components"]}, validate_formats=True
    )


def hold(answer: requests.Response) -> None:
    """That an answer is one of those that its call is said to have."""
    path = answer.request.path_url.partition("?")[0]
    template = next(template for pattern, template in patterns() if pattern.fullmatch(path))
    method, status = answer.request.method.lower(), str(answer.status_code)
    said = document()["paths"][template]["get" if method == "head" else method]["responses"]
    assert status in said, f"{method} {template} is not said to answer {status}: {answer.text}"
    media = answer.headers.get("Content-Type", "").partition(";")[0]
    if method == "head" or not answer.content:
        return
    assert media in said[status]["content"], f"{method} {template} answers {status} with {media}"
    if "json" in media:
        validator(template, method, status, media).validate(answer.json())
