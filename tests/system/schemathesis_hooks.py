"""What schemathesis cannot know of this API: times that lie ahead, zones, and who the caller is."""

import datetime
import os
import zlib

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation

AHEAD = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=30)
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]

schemathesis.openapi.format(
    "instant",
    st.integers(0, 60 * 24 * 300).map(
        lambda minutes: (AHEAD + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ),
)
schemathesis.openapi.format("time-zone", st.sampled_from(ZONES))
LETTERS = st.characters(codec="utf-8", categories=["L", "N", "P", "S"])
schemathesis.openapi.format("words", st.text(LETTERS, min_size=1, max_size=40))


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, object]
) -> None:
    """Files requests for people who are there, acts on those, as they are now, and has nobody told
    of anything but this machine."""
    body, modes = case.body, case.meta.components if case.meta else {}

    def is_valid(location: ParameterLocation) -> bool:
        return location in modes and modes[location].mode.is_positive

    if case.operation.path.startswith("/api/requests/{id}") and is_valid(ParameterLocation.PATH):
        if len(case.path_parameters["id"]) < 22:
            ids = os.environ["SCHEMATHESIS_REQUESTS"].split()
            case.path_parameters["id"] = ids[zlib.crc32(repr(case).encode()) % len(ids)]
    if "If-Match" in (case.headers or {}) and is_valid(ParameterLocation.HEADER):
        case.headers["If-Match"] = "*"
    if not isinstance(body, dict) or not is_valid(ParameterLocation.BODY):
        return
    if case.operation.label == "POST /api/requests":
        for party in ("client", "lawyer"):
            body[party]["id"] = os.environ[f"SCHEMATHESIS_{party.upper()}"]
    if case.operation.label == "POST /api/config/webhooks":
        body["url"] = "http://127.0.0.1:9/"
