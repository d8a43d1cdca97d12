"""Every mail in every language, with invented people, read back by two MIME readers, Python's and
one in Perl, and held against what it must have."""

import email
import email.message
import email.policy
import email.utils
import html.parser
import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable
from mailbox import NOTICES, SmtpServer

import icalendar
import pytest
from caller import done
from stack import PROGRAM, ROOT, Stack

LOCALES = ["en", "de", "fr"]
KINDS = sorted(path.stem for path in (ROOT / "templates/mail/en").glob("*.subject"))
PROVIDERS = ["google_meet", "zoom", "teams", "jitsi"]
INVITATIONS = {"meeting_ready": "REQUEST", "meeting_updated": "REQUEST"}
INVITATIONS |= {"meeting_cancelled": "CANCEL"}
ALERTS = {"credentials_alert", "provider_alert", "queue_alert"}
# A word that no text of another language has.
WORDS = {
    "en": re.compile(r"\b(the|you|this)\b", re.I),
    "de": re.compile(r"\b(Sie|der|die|das|und)\b"),
    "fr": re.compile(r"\b(vous|votre|le|la|les|de)\b", re.I),
}
SENTENCES = {"en": "sent this e-mail", "de": "hat diese E-Mail", "fr": "a envoyé cet e-mail"}
VOID = {"meta", "br", "img", "link", "hr", "input"}

Render = Callable[..., bytes]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    key = tmp_path_factory.mktemp("golden") / "master.key"
    key.write_text("k1:" + "07" * 32 + "\n")
    key.chmod(0o600)
    return {
        "MONGOC_DISABLE_SHM": "1",  # a process that was killed may have had our id
        "MEETLINK_TEMPLATES_DIR": str(ROOT / "templates"),
        "MEETLINK_KEY_FILE": str(key),
        "MEETLINK_JWT_SECRET": "0" * 32,
        "MEETLINK_MAIL_FROM": "Rendezvous – Größe <meetings@bücher.example>",
        "MEETLINK_PUBLIC_URL": "https://meetings.example.org",
        "MEETLINK_PUBLIC_REQUEST_URL": "https://market.example/requests/{id}",
    }


def rendered(env: dict[str, str], *options: str) -> subprocess.CompletedProcess:
    command = [PROGRAM, "render", "--mail", *options]
    return subprocess.run(command, env=env, capture_output=True, timeout=60, check=True)


@pytest.fixture(scope="module")
def render(settings: dict[str, str]) -> Render:
    def run(kind: str, locale: str, provider: str = "zoom", party: str = "client") -> bytes:
        options = ["--locale", locale, "--provider", provider, "--party", party]
        done = rendered(settings, kind, *options)
        assert done.stderr == b"", done.stderr
        return done.stdout

    return run


class Page(html.parser.HTMLParser):
    """What a page refers to, and whether its elements are closed as they were opened."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.feed(text)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert tag not in ("img", "script", "iframe", "link", "form"), f"<{tag}> fetches"
        assert "url(" not in (values.get("style") or "")
        assert not any(name.startswith("on") for name in values)
        self.attributes.setdefault(tag, values)
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def read(raw: bytes) -> email.message.EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    for part in message.walk():
        assert part.defects == [], part.defects
    return message


def check_headers(message: email.message.EmailMessage, raw: bytes) -> None:
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii() and max(map(len, head.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<meetings.xn--bcher-kva.example>"
    assert "Feedback-ID" not in message and "Bcc" not in message
    sender = message["From"].addresses[0]
    assert sender.display_name == "Rendezvous – Größe"
    assert sender.domain == "xn--bcher-kva.example"
    assert len(message["To"].addresses) == 1
    assert email.utils.parsedate_to_datetime(message["Date"]).year == 2027
    assert re.fullmatch(r"<[\w.-]+@xn--bcher-kva\.example>", message["Message-ID"])


def check_words(message: email.message.EmailMessage, kind: str, locale: str) -> None:
    text = message.get_body(("plain",)).get_content()
    page = message.get_body(("html",)).get_content()
    shown = Page(page)
    assert shown.attributes["html"]["lang"] == locale and shown.attributes["html"]["dir"] == "ltr"
    assert "prefers-color-scheme: dark" in page
    assert all(link.startswith("https://") for link in shown.links)
    for part in (text, re.sub(r"<[^>]*>", "", page)):
        assert WORDS[locale].search(part)
        assert SENTENCES[locale] in " ".join(part.split())
        others = set(LOCALES) - {locale}
        assert not any(SENTENCES[other] in " ".join(part.split()) for other in others)
        assert "{{" not in part and "}}" not in part
    assert message["Subject"].strip() and "  " not in message["Subject"]
    assert max(map(len, text.splitlines())) <= 120
    if kind not in ALERTS:
        assert "https://market.example/requests/" in text
        assert any(link.startswith("https://market.example/requests/") for link in shown.links)


def check_calendar(message: email.message.EmailMessage, kind: str) -> None:
    kinds = [part.get_content_type() for part in message.walk()]
    if kind not in INVITATIONS:
        assert kinds == ["multipart/alternative", "text/plain", "text/html"]
        return
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    (part,) = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
    calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
    assert calendar["METHOD"] == part.get_param("method") == INVITATIONS[kind]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_in_every_language(render: Render, kind: str, locale: str) -> None:
    for party in ("client", "lawyer"):
        raw = render(kind, locale, party=party)
        assert raw == render(kind, locale, party=party), "a repeat is the same mail"
        message = read(raw)
        check_headers(message, raw)
        check_words(message, kind, locale)
        check_calendar(message, kind)


def test_who_accepted_is_not_said_to_the_lawyer(render: Render) -> None:
    """It may have been the administration, or the host application."""
    untrue = re.compile(r"you have accepted|Sie haben .* angenommen|vous avez accepté", re.I)
    for kind in ("meeting_delayed", "meeting_failed"):
        for locale in LOCALES:
            message = read(render(kind, locale, party="lawyer"))
            for part in ("plain", "html"):
                text = " ".join(message.get_body((part,)).get_content().split())
                assert not untrue.search(text)


def test_no_link_is_said_to_be_dead(render: Render) -> None:
    """One of the provider's own may go on leading into its room."""
    untrue = re.compile(r"\blinks?\b[^.;]*no longer work|\bliens?\b[^.;]*fonctionn", re.I)
    for kind in ("meeting_cancelled", "meeting_updated"):
        for locale in LOCALES:
            text = read(render(kind, locale)).get_body(("plain",)).get_content()
            assert not untrue.search(" ".join(text.split()))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_is_named(render: Render, provider: str) -> None:
    titles = {"google_meet": "Google Meet", "zoom": "Zoom"}
    titles |= {"teams": "Microsoft Teams", "jitsi": "Jitsi Meet"}
    meetings = ("meeting_ready", "meeting_updated", "meeting_reminder")
    for kind in (*meetings, "provider_alert", "credentials_alert"):
        for locale in LOCALES:
            message = read(render(kind, locale, provider))
            assert titles[provider] in message.get_body(("plain",)).get_content()


@pytest.mark.parametrize("kind", KINDS)
def test_a_language_that_we_do_not_have(render: Render, kind: str) -> None:
    page = read(render(kind, "nl")).get_body(("html",)).get_content()
    assert 'lang="en"' in page and SENTENCES["en"] in page


def test_a_mail_that_is_not_whole_in_a_language(
    settings: dict[str, str], tmp_path: pathlib.Path
) -> None:
    """It is found at start, and not when the mail is due; then it leaves in English."""
    folder = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", folder)
    (folder / "mail/fr/meeting_ready.html").unlink()
    env = settings | {"MEETLINK_TEMPLATES_DIR": str(folder)}
    done = rendered(env, "meeting_ready", "--locale", "fr")
    assert b"mail/fr/meeting_ready.txt is not all of the mail" in done.stderr
    assert SENTENCES["en"] in " ".join(read(done.stdout).get_body(("plain",)).get_content().split())
    whole = read(rendered(env, "meeting_updated", "--locale", "fr").stdout)
    assert SENTENCES["fr"] in " ".join(whole.get_body(("plain",)).get_content().split())


def mime_tree(raw: bytes) -> list[tuple[str, str]]:
    """The leaves as a reader sees them that shares nothing with us or with Python."""
    script = r"""
use strict; use MIME::QuotedPrint; use MIME::Base64; binmode STDOUT;
sub leaf {
  my ($head, $body) = split /\r\n\r\n/, $_[0], 2;
  $head =~ s/\r\n[ \t]+/ /g;
  my ($type) = $head =~ /^Content-Type:\s*([^;\s]+)/mi;
  my ($how) = $head =~ /^Content-Transfer-Encoding:\s*(\S+)/mi;
  if ($head =~ /boundary="([^"]+)"/i) {
    my $mark = quotemeta $1;
    my @parts = split /\r?\n?--$mark(?:--)?\r\n/, "\r\n$body";
    shift @parts;
    leaf($_) for grep { /\S/ } @parts;
    return;
  }
  $how = lc($how // "");
  $body = decode_qp($body) if $how eq "quoted-printable";
  $body = decode_base64($body) if $how eq "base64";
  $body =~ s/\r\n/\n/g;
  $body =~ s/\s+\z//;
  print "$type\0$body\0";
}
local $/; leaf(<STDIN>);
"""
    done = subprocess.run(
        ["perl", "-e", script], input=raw, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    fields = done.stdout.decode().split("\0")[:-1]
    return list(zip(fields[::2], fields[1::2], strict=True))


def assert_two_readers_agree(raw: bytes) -> None:
    leaves = [part for part in read(raw).walk() if not part.is_multipart()]
    ours = [
        (
            part.get_content_type(),
            part.get_payload(decode=True).decode().replace("\r\n", "\n").rstrip(),
        )
        for part in leaves
    ]
    assert mime_tree(raw) == ours


@pytest.mark.parametrize("kind", KINDS)
def test_two_readers_agree(render: Render, kind: str) -> None:
    for locale in LOCALES:
        assert_two_readers_agree(render(kind, locale))


def test_two_readers_agree_on_what_arrives(start: Callable[..., Stack], smtp: SmtpServer) -> None:
    """Of real meetings, as a mail server has them: in words that need encoding, and many."""
    stack = start(smtp)
    for locale in LOCALES:
        parties = stack.parties()
        people = {who: parties.person(who, locale=locale) for who in ("client", "lawyer")}
        title = "Größe = 50 % – 会議 \U0001f9d1\u200d\u2696\ufe0f"
        request = parties.accepted(title=title, description=f". {title}\n.\n" * 40, **people)
        stack.settle(request["id"])
        done(parties.lawyer.command(request["id"], "reschedule", starts_at=stack.at(days=5)))
        stack.settle(request["id"])
        done(parties.client.cancel(request["id"], reason=title))
        stack.settle(request["id"])
        mails = stack.mails.every(request["id"])
        assert {mail.kind for mail in mails} >= set(INVITATIONS)
        for mail in mails:
            assert_two_readers_agree(mail.raw)
            assert title in mail.text() or mail.kind not in INVITATIONS
            check_calendar(read(mail.raw), mail.kind)


def test_notices_are_known_to_the_tests() -> None:
    table = (ROOT / "src/core/effect_table.h").read_text()
    rows = re.findall(r'EFFECT\(\w+, "mail\.(\w+)"((?:[^"]|"(?!mail))*?)\.words', table)
    assert {name for name, columns in rows if ".notice = true" in columns} == NOTICES
