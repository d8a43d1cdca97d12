"""Whether two answers are the same, and where they differ."""

import collections
import json
import re

# Which row or event it is.
NUMBER = re.compile(r"\[\d+\]|event \d+")
# Tokens and cursors are each side's own.
OWN_WORDS = re.compile(r"https?://127\.0\.0\.1:\d+|[A-Za-z0-9_-]{30,}")


def leaves(value: object, path: str = "") -> dict[str, str]:
    """Every value of an answer by its place."""
    if isinstance(value, dict):
        items = [(f"{path}.{name}".removeprefix("."), item) for name, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{number}]", item) for number, item in enumerate(value)]
    else:
        return {path: OWN_WORDS.sub("*", json.dumps(value))}
    empty = {} if items else {path: "empty"}
    return empty | {p: leaf for name, item in items for p, leaf in leaves(item, name).items()}


def rows(answer: dict | str) -> dict[str, int]:
    if isinstance(answer, str):
        return {"VEVENT": answer.count("BEGIN:VEVENT")}
    return {name: len(value) for name, value in answer.items() if isinstance(value, list)}


def lines(calendar: str) -> dict[str, str]:
    """Properties by the place of their event, whatever order they have within it."""
    found: dict[str, str] = {}
    place = collections.Counter()
    for line in calendar.replace("\r\n ", "").split("\r\n"):
        head, _, value = line.partition(":")
        place["event"] += line == "BEGIN:VEVENT"
        place["alarm"] = line == "BEGIN:VALARM" or (place["alarm"] and line != "END:VALARM")
        name = f"event {place['event']} {'alarm ' * bool(place['alarm'])}{head.split(';')[0]}"
        found[name] = found.get(name, "") + OWN_WORDS.sub("*", value)
    return found


def values(answer: dict | str) -> dict[str, str]:
    return lines(answer) if isinstance(answer, str) else leaves(answer)


def differences(ours: dict | str, peer: dict | str) -> list[str]:
    """In words, one for each field, however many rows or events have it; empty: the same."""
    of_ours, of_peer = values(ours), values(peer)
    found: dict[str, str] = {}
    for place in sorted(of_ours.keys() | of_peer.keys()):
        mine, other = of_ours.get(place), of_peer.get(place)
        if mine != other:
            found.setdefault(NUMBER.sub("*", place), f"{place}: {mine} / {other}")
    return list(found.values())
