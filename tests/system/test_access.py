"""Tokens, ids and parties that are none. Who may call what is in test_tables.py."""

import base64
import datetime
import hashlib
import hmac
import json

import pytest
from caller import Caller, Parties, mint
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from stack import Stack


@pytest.fixture(scope="module")
def pair(stack: Stack) -> Parties:
    return stack.parties()


def test_who_may_file(pair: Parties) -> None:
    stack = pair.stack
    for caller in (pair.client, stack.service(), stack.admin()):
        assert caller.post("/api/requests", pair.draft()).status_code == 201
    assert pair.lawyer.post("/api/requests", pair.draft()).status_code == 403
    other = stack.client("somebody-else").post("/api/requests", pair.draft())
    assert (other.status_code, other.json()["code"]) == (403, "forbidden")
    same = pair.draft(lawyer=pair.person("client"))
    assert pair.client.post("/api/requests", same).status_code == 422


@pytest.mark.parametrize(
    "request_id", ["x", "A" * 21, "A" * 23, "A" * 22, "A" * 21 + "!", "..", "A" * 3000]
)
def test_an_id_that_is_none(stack: Stack, request_id: str) -> None:
    assert stack.admin().get(f"/api/requests/{request_id}").status_code == 404


# ---- tokens ----


def part(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims(**changes: object) -> dict:
    exp = int(datetime.datetime.now(datetime.UTC).timestamp()) + 3600
    everything = {"sub": "admin-1", "role": "admin", "iss": "meetlink", "aud": "meetlink"}
    return everything | {"exp": exp} | changes


def signed(secret: str, header: dict, body: dict) -> str:
    text = f"{part(header)}.{part(body)}"
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def bad_tokens(secret: str) -> dict[str, str]:
    good = mint(secret, **claims())
    past = int(datetime.datetime.now(datetime.UTC).timestamp()) - 2
    head, body, mac = good.split(".")
    hs256 = {"alg": "HS256", "typ": "JWT"}
    return {
        "expired": mint(secret, **claims(exp=past)),
        "without exp": mint(secret, **claims(exp=None)),
        "exp as text": signed(secret, hs256, claims(exp="2099-01-01")),
        "not valid yet": mint(secret, **claims(nbf=past + 3600)),
        "from another issuer": mint(secret, **claims(iss="somebody")),
        "without issuer": mint(secret, **claims(iss=None)),
        "for another audience": mint(secret, **claims(aud="payroll")),
        "for other audiences": mint(secret, **claims(aud=["payroll", "hr"])),
        "without audience": mint(secret, **claims(aud=None)),
        "without subject": mint(secret, **claims(sub=None)),
        "an empty subject": mint(secret, **claims(sub="")),
        "without role": mint(secret, **claims(role=None)),
        "an unknown role": mint(secret, **claims(role="root")),
        "the system's role": mint(secret, **claims(role="system")),
        "roles in a list": signed(secret, hs256, claims(role=["admin"])),
        "another secret": mint("x" * 64, **claims()),
        "HS512": mint(secret, algorithm="HS512", **claims()),
        "alg none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "alg None with its mac": signed(secret, {"alg": "None", "typ": "JWT"}, claims()),
        "alg RS256 with a mac": signed(secret, {"alg": "RS256", "typ": "JWT"}, claims()),
        "without alg": signed(secret, {"typ": "JWT"}, claims()),
        "crit": signed(secret, hs256 | {"crit": ["x"], "x": 1}, claims()),
        "another body": f"{head}.{part(claims(sub='root'))}.{mac}",
        "without a mac": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.x",
        "padding": f"{good}=",
        "a changed mac": f"{head}.{body}.{'A' if mac[0] != 'A' else 'B'}{mac[1:]}",
        "garbage": "x.y.z",
        "nothing": "",
        "spaces": "   ",
        "very long": "A" * 7000,
    }


@pytest.mark.parametrize("name", bad_tokens("x" * 64))
def test_a_token_that_is_not_valid(stack: Stack, name: str) -> None:
    token = bad_tokens(stack.secret)[name]
    answer = stack.anyone().get("/api/requests", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if token.strip():
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert token not in answer.text


@pytest.mark.parametrize("value", ["Basic YTpi", "Token abc", "bearer"])
def test_another_scheme(stack: Stack, value: str) -> None:
    answer = stack.anyone().get("/api/requests", headers={"Authorization": value})
    assert answer.status_code == 401


def test_no_token(stack: Stack) -> None:
    answer = stack.anyone().get("/api/requests")
    assert answer.status_code == 401
    assert "error=" not in answer.headers["WWW-Authenticate"], "RFC 6750 section 3.1"


def test_tokens_that_are_valid(stack: Stack) -> None:
    for token in (
        mint(stack.secret, **claims()),
        mint(stack.secret, **claims(aud=["payroll", "meetlink"])),
        mint(stack.secret, **claims(extra={"a": [1, 2]})),
        stack.run("token", "--sub", "admin-1", "--role", "admin").strip(),
    ):
        assert Caller(stack.url, token).get("/api/requests").status_code == 200


def test_public_keys(start, tmp_path) -> None:
    """With RS256 configured, the public key is no HS256 secret."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    (tmp_path / "public.pem").write_bytes(public)
    stack = start(JWT_ALGORITHM="RS256", JWT_PUBLIC_KEY_FILE=tmp_path / "public.pem", JWT_SECRET="")

    def status(token: str) -> int:
        return Caller(stack.url, token).get("/api/requests").status_code

    assert status(mint(private, algorithm="RS256", **claims())) == 200
    assert status(signed(public.decode(), {"alg": "HS256", "typ": "JWT"}, claims())) == 401
    assert status(signed(public.decode(), {"alg": "RS256", "typ": "JWT"}, claims())) == 401
    assert status(mint(private, algorithm="RS512", **claims())) == 401
