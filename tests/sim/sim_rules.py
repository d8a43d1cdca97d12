"""Rules for what a provider is sent, and its times.

A rule for a JSON value is a type, a range, a set of choices, a pattern, [rule of the items], a dict
of rules by field, or a function that says whether the value is good.
"""

import datetime
import re
import zoneinfo
from collections.abc import Callable


def text(most: int, least: int = 0) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and least <= len(value) <= most


def zone(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(zoneinfo.ZoneInfo(value))
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False


def problems(value: object, rule: object, name: str = "") -> list[tuple[str, str]]:
    """(field, why) for all that is not as the rule wants it."""
    if isinstance(rule, dict):
        if not isinstance(value, dict):
            return [(name, "is not an object")]
        found = []
        for key, item in value.items():
            field = f"{name}.{key}" if name else key
            found += problems(item, rule[key], field) if key in rule else [(field, "is unknown")]
        return found
    if isinstance(rule, list):
        if not isinstance(value, list):
            return [(name, "is not a list")]
        return [one for i, v in enumerate(value) for one in problems(v, rule[0], f"{name}[{i}]")]
    if isinstance(rule, type):
        good = type(value) is rule
    elif isinstance(rule, range):
        good = type(value) is int and value in rule
    elif isinstance(rule, set):
        good = isinstance(value, str | int) and value in rule
    elif isinstance(rule, re.Pattern):
        good = isinstance(value, str) and rule.fullmatch(value) is not None
    else:
        good = rule(value)
    return [] if good else [(name, "is not valid")]


def has(value: object, path: str) -> bool:
    """Whether there is something at a path like settings.audio."""
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def instant(value: str, zone_name: str | None = None) -> datetime.datetime:
    """An RFC 3339 time; one without an offset needs the zone."""
    at = datetime.datetime.fromisoformat(value)
    if not 1970 < at.year < 2970:
        raise ValueError("an unlikely year")
    if at.tzinfo is None:
        if zone_name is None:
            raise ValueError("a time without an offset")
        at = at.replace(tzinfo=zoneinfo.ZoneInfo(zone_name))
    return at.astimezone(datetime.UTC)


def is_instant(value: object) -> bool:
    """Whether it is RFC 3339, with its offset."""
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)"
    try:
        return isinstance(value, str) and bool(re.fullmatch(form, value) and instant(value))
    except ValueError:
        return False


def utc(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
