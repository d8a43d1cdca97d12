#!/usr/bin/env python3
"""demo.py URL PROGRAM: fills an empty development instance with a week of a law firm.

Everything goes through the API, as a host application would do it: so there are mails, trails and
calendar entries as well. An instance that has requests is left as it is.
"""

import datetime
import json
import subprocess
import sys
import urllib.request

PEOPLE = {
    id: {"id": id, "name": name, "email": f"{id}@example.org", "timezone": zone, "locale": locale}
    for id, name, zone, locale in (
        ("lena", "Lena Brandt", "Europe/Berlin", "de"),
        ("omar", "Omar Haddad", "Europe/Paris", "fr"),
        ("clara", "Clara Neumann", "America/New_York", "en"),
        ("jonas", "Jonas Weber", "Europe/Berlin", "de"),
        ("amelie", "Amélie Laurent", "Europe/Paris", "fr"),
        ("noa", "נועה לוי", "Asia/Jerusalem", "en"),
    )
}
# Hours from now, rounded; minutes; who asks whom for what, in more words; what becomes of it.
WEEK = [
    (0, 60, "clara", "lena", "Inheritance from New York", "The will is in English.", "accept"),
    (
        20,
        30,
        "clara",
        "lena",
        "Rent increase",
        "Twelve per cent after the lift was renewed.",
        "open",
    ),
    (
        26,
        45,
        "jonas",
        "lena",
        "Notice of termination",
        "Received on Monday, with two weeks' notice.",
        "accept",
    ),
    (26, 30, "amelie", "lena", "Droit de garde", "Les enfants vivent à Berlin.", "overlap"),
    (44, 60, "noa", "lena", "חוזה שכירות", "השוכר לא שילם שלושה חודשים.", "open"),
    (50, 45, "clara", "omar", "Trade mark in France", "A name that somebody else uses.", "accept"),
    (70, 30, "jonas", "lena", "Speeding ticket", "In Poland, with a rented car.", "decline"),
    (74, 60, "amelie", "omar", "Contrat de franchise", "Relecture avant signature.", "accept"),
    (98, 90, "clara", "lena", "Founding a company", "Two founders, one of them abroad.", "move"),
    (
        122,
        45,
        "jonas",
        "omar",
        "Car accident in Lyon",
        "The insurer does not answer.",
        "cancel_meeting",
    ),
    (146, 30, "noa", "lena", "Work permit", "For a software engineer.", "cancel"),
    (
        150,
        60,
        "clara",
        "lena",
        "Deposit of the old flat",
        "Still not paid back after six months.",
        "open",
    ),
]
MESSAGES = {
    "lena": "Please have the papers at hand.",
    "omar": "I look forward to talking with you.",
}


class Marketplace:
    """The host application, and people through it."""

    def __init__(self, url: str, program: str):
        self.url, self.program, self.tokens = url, program, {}

    def token(self, role: str, person: str) -> str:
        if (role, person) not in self.tokens:
            known = PEOPLE.get(
                person, {"id": person, "name": person, "email": f"{person}@example.org"}
            )
            command = [self.program, "token", "--role", role, "--sub", known["id"], "--ttl", "600"]
            command += ["--name", known["name"], "--email", known["email"]]
            made = subprocess.run(command, check=True, capture_output=True, text=True)
            self.tokens[role, person] = made.stdout.strip()
        return self.tokens[role, person]

    def call(self, role: str, person: str, path: str, body: dict | None = None) -> dict:
        headers = {"Authorization": f"Bearer {self.token(role, person)}"}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)


def begins(hours: int) -> datetime.datetime:
    """The first meeting is about to begin, so that its door is open."""
    now = datetime.datetime.now(datetime.UTC)
    if hours == 0:
        return now.replace(second=0, microsecond=0) + datetime.timedelta(minutes=10)
    return now.replace(minute=0, second=0, microsecond=0) + datetime.timedelta(hours=hours)


def written(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def fill(market: Marketplace) -> None:
    for hours, minutes, client, lawyer, title, description, what in WEEK:
        start = begins(hours)
        body = {"title": title, "description": description, "starts_at": written(start)}
        body |= {"client": PEOPLE[client], "lawyer": PEOPLE[lawyer], "duration_minutes": minutes}
        path = f"/api/requests/{market.call('service', 'marketplace', '/api/requests', body)['id']}"
        if what == "decline":
            words = {"decision": "decline", "message": "This is not my field."}
            market.call("lawyer", lawyer, f"{path}/respond", words)
        elif what != "open":
            words = {
                "decision": "accept",
                "message": MESSAGES[lawyer],
                "allow_overlap": what == "overlap",
            }
            market.call("lawyer", lawyer, f"{path}/respond", words)
        if what == "move":
            later = {
                "starts_at": written(start + datetime.timedelta(hours=2)),
                "reason": "A hearing.",
            }
            market.call("lawyer", lawyer, f"{path}/meeting/reschedule", later)
        elif what == "cancel_meeting":
            market.call(
                "lawyer", lawyer, f"{path}/meeting/cancel", {"reason": "I have to be in court."}
            )
        elif what == "cancel":
            market.call("client", client, f"{path}/cancel", {"reason": "It has been settled."})


def main() -> None:
    market = Marketplace(*sys.argv[1:3])
    if market.call("admin", "root", "/api/requests?limit=1")["items"]:
        print("there are requests already: the week is not filled in", file=sys.stderr)
    else:
        fill(market)


if __name__ == "__main__":
    main()
