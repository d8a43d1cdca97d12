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
# Days from now, and the hour of UTC there; minutes; who asks whom; what becomes of it; for what.
WEEK = [
    (0, 0, 60, "clara", "lena", "accept", "Inheritance from New York", "The will is in English."),
    (1, 13, 30, "clara", "lena", "open", "Rent increase", "Twelve per cent, for a new lift."),
    (2, 9, 45, "jonas", "lena", "accept", "Notice of termination", "Received on Monday."),
    (2, 9, 30, "amelie", "lena", "overlap", "Droit de garde", "Les enfants vivent à Berlin."),
    (2, 14, 60, "noa", "lena", "open", "חוזה שכירות", "השוכר לא שילם שלושה חודשים."),
    (3, 10, 45, "clara", "omar", "accept", "Trade mark in France", "Somebody else uses the name."),
    (3, 13, 30, "jonas", "lena", "decline", "Speeding ticket", "In Poland, with a rented car."),
    (4, 8, 60, "amelie", "omar", "accept", "Contrat de franchise", "Relecture avant signature."),
    (4, 14, 90, "clara", "lena", "move", "Founding a company", "Two founders, one abroad."),
    (5, 9, 45, "jonas", "omar", "cancel_meeting", "Car accident in Lyon", "The insurer is silent."),
    (6, 12, 30, "noa", "lena", "cancel", "Work permit", "For a software engineer."),
    (7, 14, 60, "clara", "lena", "open", "Deposit of the old flat", "Not paid back in six months."),
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


def begins(days: int, hour: int) -> datetime.datetime:
    """The first meeting is about to begin, so that its door is open."""
    now = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
    if days == 0:
        return now + datetime.timedelta(minutes=10)
    return now.replace(hour=hour, minute=0) + datetime.timedelta(days=days)


def written(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def fill(market: Marketplace) -> None:
    for days, hour, minutes, client, lawyer, what, title, description in WEEK:
        start = begins(days, hour)
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
