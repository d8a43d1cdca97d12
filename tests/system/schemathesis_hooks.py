"""What schemathesis cannot know of this API: times that lie ahead, zones, and who the caller is."""

import datetime
import os

import schemathesis
from hypothesis import strategies as st

AHEAD = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=30)
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]

schemathesis.openapi.format(
    "date-time",
    st.integers(0, 60 * 24 * 300).map(
        lambda minutes: (AHEAD + datetime.timedelta(minutes=minutes)).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
    ),
)
schemathesis.openapi.format("time-zone", st.sampled_from(ZONES))


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, object]
) -> None:
    """Files requests for the caller's own people, so that there is something to act on, and has
    nobody told of anything but this machine."""
    body = case.body
    if not case.meta or case.meta.generation.mode.is_negative or not isinstance(body, dict):
        return
    if case.operation.label == "POST /api/requests":
        for party in ("client", "lawyer"):
            body[party]["id"] = os.environ[f"SCHEMATHESIS_{party.upper()}"]
    if case.operation.label == "POST /api/config/webhooks":
        body["url"] = "http://127.0.0.1:9/"
