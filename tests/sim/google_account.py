"""A Google service account: its key file, and the assertions that are signed with it."""

import dataclasses
import datetime
import functools
import json
import secrets

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sim_http import Refusal

AUDIENCE = "https://oauth2.googleapis.com/token"
TIMES = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)


def denied(status: int, code: str, words: str) -> Refusal:
    """The flat errors of the token endpoint."""
    return Refusal(status, {"error": code, "error_description": words})


@functools.cache
def shared_key() -> rsa.RSAPrivateKey:
    """One for the process: making it takes a while."""
    return rsa.generate_private_key(65537, 2048)


@dataclasses.dataclass
class ServiceAccount:
    email: str = "meetings@project.iam.gserviceaccount.com"
    key: rsa.RSAPrivateKey = dataclasses.field(default_factory=shared_key)
    key_id: str = dataclasses.field(default_factory=lambda: secrets.token_hex(20))

    def key_file(self) -> str:
        pem = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": self.key_id,
            "private_key": pem.decode(),
            "client_email": self.email,
            "client_id": "100000000000000000000",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": AUDIENCE,
            "universe_domain": "googleapis.com",
        }
        return json.dumps(file, indent=2)

    def verify(self, assertion: str, now: datetime.datetime) -> tuple[set[str], str | None]:
        """The scopes that a good assertion asks for, and whom it acts for."""
        # Times and audience are checked here, with the clock and the words of the simulator.
        unchecked = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud"), False)
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, self.key.public_key(), ["RS256"], options=unchecked)
        except jwt.InvalidTokenError:
            raise denied(400, "invalid_grant", "Invalid JWT Signature.") from None
        if header.get("typ", "JWT") != "JWT" or header.get("kid", self.key_id) != self.key_id:
            raise denied(400, "invalid_grant", "Invalid JWT Signature.")
        if claims.get("iss") != self.email:
            raise denied(400, "invalid_grant", "Invalid grant: account not found")
        if claims.get("aud") != AUDIENCE:
            raise denied(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        issued, ends = claims.get("iat"), claims.get("exp")
        if type(issued) is not int or type(ends) is not int:
            raise denied(400, "invalid_grant", TIMES)
        if not issued - 5 <= now.timestamp() < ends or not issued < ends <= issued + 3600:
            raise denied(400, "invalid_grant", TIMES)
        return set(str(claims.get("scope", "")).split()), claims.get("sub")
