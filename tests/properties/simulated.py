"""One stack with simulated providers for many examples, each of which begins anew."""

import secrets

from providers import Providers
from sim import Sim

NAMES = ("google_meet", "jitsi", "teams", "zoom")


class Simulated(Providers):
    def renew(self, refresh: bool = False) -> dict[str, dict]:
        """Forgets what was. Gives out credentials that no token and no breaker was made for, by
        provider: what is to be PUT. `refresh`: with refresh tokens, where there are any."""
        for collection in ("requests", "config"):
            self.stack.requests.database[collection].delete_many({})
        for sim in self.sims.values():
            sim.calm()
            sim.calls.clear()
        zoom, google, graph = self["zoom"], self["google_meet"], self["teams"]
        for made in (zoom.meetings, zoom.used, google.events, graph.meetings):
            made.clear()
        zoom.client_secret, graph.client_secret = secrets.token_hex(20), secrets.token_hex(20)
        google.account.key_id, google.client_secret = secrets.token_hex(20), secrets.token_hex(20)
        return {
            "google_meet": google.provider(refresh),
            "jitsi": {"enabled": True},
            "teams": graph.provider(),
            "zoom": zoom.provider(refresh),
        }

    def enable(self, bodies: dict[str, dict], **policy: object) -> None:
        """These providers and no other."""
        for name, body in bodies.items():
            self.configure(name, body)
        self.policy(**policy)
        if "jitsi" not in bodies:
            self.configure("jitsi", {"enabled": False})

    def asked(self) -> dict[str, list[tuple]]:
        """What every provider was asked: (method, path, query, body)."""

        def calls(sim: Sim) -> list[tuple]:
            return [(call.method, call.path, call.query, call.body) for call in sim.calls]

        return {name: calls(sim) for name, sim in self.sims.items()}
