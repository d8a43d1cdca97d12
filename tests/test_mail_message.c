#include <stdio.h>
#include <stdlib.h>

#include "mail_message.h"
#include "unit.h"

enum { CEILING = 1 << 20 };

#define CALENDAR "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
#define CALENDAR_BASE64                                                                            \
	"\r\n\r\nQkVHSU46VkNBTEVOREFSDQpNRVRIT0Q6UkVRVUVTVA0KRU5EOlZDQUxFTkRBUg0K\r\n\r\n"

static const struct mail_message plain = {
	.message_id = "bk-1.0.ready@mail.example",
	.date = 1803909600123,
	.from = {"Meetings", "meetings@mail.example"},
	.to = {"Anna", "anna@example.org"},
	.subject = "Video meeting",
	.text = "Hello\n",
	.html = "<p>Hello</p>\n",
};

static struct mail_message invitation(void)
{
	struct mail_message message = plain;

	message.calendar = CALENDAR;
	message.calendar_method = "REQUEST";
	return message;
}

static char *composed(const struct mail_message *message)
{
	struct err_info info;
	struct buf out;

	buf_init(&out, CEILING);
	CU_ASSERT_EQUAL(mail_compose(message, &out, &info), ERR_OK);
	return out.bytes;
}

static void check_text(const char *bytes, const char *expected)
{
	bool found = strstr(bytes, expected) != NULL;

	if (!found)
		fprintf(stderr, "not found:\n%s\nin:\n%s\n", expected, bytes);
	CU_ASSERT(found);
}

static void without_calendar(void)
{
	char *bytes = composed(&plain);

	CU_ASSERT_STRING_EQUAL(bytes, "Date: Mon, 1 Mar 2027 14:00:00 +0000\r\n"
				      "From: Meetings <meetings@mail.example>\r\n"
				      "To: Anna <anna@example.org>\r\n"
				      "Message-ID: <bk-1.0.ready@mail.example>\r\n"
				      "Subject: Video meeting\r\n"
				      "Auto-Submitted: auto-generated\r\n"
				      "X-Auto-Response-Suppress: All\r\n"
				      "List-Id: <meetings.mail.example>\r\n"
				      "MIME-Version: 1.0\r\n"
				      "Content-Type: multipart/alternative; \r\n"
				      " boundary=\"=_alternative_c6f56f8d590f94162c90e1e6\"\r\n"
				      "\r\n"
				      "--=_alternative_c6f56f8d590f94162c90e1e6\r\n"
				      "Content-Type: text/plain; charset=UTF-8\r\n"
				      "Content-Transfer-Encoding: quoted-printable\r\n"
				      "\r\n"
				      "Hello\r\n"
				      "\r\n"
				      "--=_alternative_c6f56f8d590f94162c90e1e6\r\n"
				      "Content-Type: text/html; charset=UTF-8\r\n"
				      "Content-Transfer-Encoding: quoted-printable\r\n"
				      "\r\n"
				      "<p>Hello</p>\r\n"
				      "\r\n"
				      "--=_alternative_c6f56f8d590f94162c90e1e6--\r\n");
	free(bytes);
}

/* The order, the parameters and the absence of a disposition are what mail programs look at. */
static void with_calendar(void)
{
	static const char *const in_order[] = {
		"\r\nContent-Type: multipart/mixed;",
		"\r\nContent-Type: multipart/alternative;",
		"\r\nContent-Type: text/plain; charset=UTF-8\r\n",
		"\r\nContent-Type: text/html; charset=UTF-8\r\n",
		"\r\nContent-Type: text/calendar; method=REQUEST; charset=UTF-8; "
		"component=VEVENT\r\n"
		"Content-Transfer-Encoding: base64" CALENDAR_BASE64 "--=_alternative_",
		"--\r\n\r\n--=_mixed_",
		"\r\nContent-Type: application/ics; name=\"invite.ics\"\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=\"invite.ics\"" CALENDAR_BASE64
		"--=_mixed_",
	};
	struct mail_message message = invitation();
	char *bytes = composed(&message);
	const char *from = bytes;
	size_t i;

	for (i = 0; i < sizeof(in_order) / sizeof(in_order[0]) && from; i++) {
		check_text(from, in_order[i]);
		from = strstr(from, in_order[i]);
	}
	free(bytes);
}

static void thread_and_reply(void)
{
	struct mail_message message = plain;
	char *bytes;

	message.in_reply_to = "bk-1.0.first@mail.example";
	message.reply_to = (struct mail_address){"Doe, J", "J@Müller.Example"};
	bytes = composed(&message);
	check_text(bytes, "\r\nReply-To: \"Doe, J\" <J@xn--mller-kva.example>\r\n");
	check_text(bytes, "\r\nIn-Reply-To: <bk-1.0.first@mail.example>\r\n");
	check_text(bytes, "\r\nReferences: <bk-1.0.first@mail.example>\r\n");
	free(bytes);
}

static void same_bytes(void)
{
	struct mail_message message = invitation(), other = invitation();
	char *first = composed(&message), *second = composed(&message), *third;

	other.message_id = "bk-1.1.ready@mail.example";
	third = composed(&other);
	CU_ASSERT_STRING_EQUAL(first, second);
	CU_ASSERT_STRING_NOT_EQUAL(strstr(first, "boundary="), strstr(third, "boundary="));
	free(first);
	free(second);
	free(third);
}

static void subjects(void)
{
	static const struct {
		const char *subject, *line;
	} cases[] = {
		{"", "Subject: "},
		{"a, b: <c>", "Subject: a, b: <c>"},
		{"Gespräch um 3", "Subject: =?UTF-8?Q?Gespr=C3=A4ch_um_3?="},
		{"two  blanks", "Subject: =?UTF-8?Q?two__blanks?="},
		{" in front", "Subject: =?UTF-8?Q?_in_front?="},
		{"=?utf-8?q?trick?=", "Subject: =?UTF-8?Q?=3D=3Futf-8=3Fq=3Ftrick=3F=3D?="},
		{"one word that does not fit into the line: "
		 "0123456789012345678901234567890123456789",
			"Subject: one word that does not fit into the line:\r\n"
			" 0123456789012345678901234567890123456789"},
		{"0123456789012345678901234567890123456789012345678901234567890",
			"Subject: =?UTF-8?Q?012345678901234567890123456789012345678901234567?=\r\n"
			" =?UTF-8?Q?8901234567890?="},
		/* The last of these would reach over the end of the word: it opens the next. */
		{"ääääääää",
			"Subject: =?UTF-8?Q?=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4?="},
		{"xääääääää", "Subject: =?UTF-8?Q?x=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4?=\r\n"
			      " =?UTF-8?Q?=C3=A4?="},
		{"x\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
			"Subject: =?UTF-8?Q?x=F0=9F=98=80=F0=9F=98=80=F0=9F=98=80?=\r\n"
			" =?UTF-8?Q?=F0=9F=98=80?="},
	};
	struct mail_message message = plain;
	char *bytes, line[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message.subject = cases[i].subject;
		bytes = composed(&message);
		snprintf(line, sizeof(line), "\r\n%s\r\nAuto-Submitted", cases[i].line);
		check_text(bytes, line);
		free(bytes);
	}
}

static void names(void)
{
	static const struct {
		const char *name, *line;
	} cases[] = {
		{NULL, "To: anna@example.org"},
		{"", "To: anna@example.org"},
		{"O'Neil Anna", "To: O'Neil Anna <anna@example.org>"},
		{"Doe, J.", "To: \"Doe, J.\" <anna@example.org>"},
		{"a \"b\" \\c", "To: \"a \\\"b\\\" \\\\c\" <anna@example.org>"},
		{"x@y.example", "To: \"x@y.example\" <anna@example.org>"},
		{"Jörg, Dr.", "To: =?UTF-8?Q?J=C3=B6rg=2C_Dr=2E?= <anna@example.org>"},
		{"=?utf-8?q?x?=", "To: =?UTF-8?Q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= <anna@example.org>"},
		{"A Very Long Name, That Goes On And On Beyond Sixty Characters",
			"To: =?UTF-8?Q?A_Very_Long_Name=2C_That_Goes_On_And_On_Beyond_S?=\r\n"
			" =?UTF-8?Q?ixty_Characters?= <anna@example.org>"},
	};
	struct mail_message message = plain;
	char *bytes, line[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message.to.name = cases[i].name;
		bytes = composed(&message);
		snprintf(line, sizeof(line), "\r\n%s\r\nMessage-ID", cases[i].line);
		check_text(bytes, line);
		free(bytes);
	}
}

static void bodies(void)
{
	static const struct {
		const char *text, *encoded;
	} cases[] = {
		{"", ""},
		{"a", "a\r\n"},
		{"a\n\n", "a\r\n\r\n"},
		{"a\r\nb\rc\nd", "a\r\nb\r\nc\r\nd\r\n"},
		{"blanks  \t\nat ends \r\n \rx ", "blanks\r\nat ends\r\n\r\nx\r\n"},
		{".\n..\nFrom x", ".\r\n..\r\n=46rom x\r\n"},
		{"1 = 2 ü", "1 =3D 2 =C3=BC\r\n"},
		{"--=_alternative_c6f56f8d590f94162c90e1e6--",
			"--=3D=5Falternative=5Fc6f56f8d590f94162c90e1e6--\r\n"},
	};
	struct mail_message message = plain;
	char *bytes, part[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message.text = cases[i].text;
		bytes = composed(&message);
		snprintf(
			part, sizeof(part), "quoted-printable\r\n\r\n%s\r\n--=_", cases[i].encoded);
		check_text(bytes, part);
		free(bytes);
	}
}

/* RFC 5322 section 2.1.1. */
static void line_lengths(void)
{
	struct mail_message message = invitation();
	char *bytes, *line, *end, text[5000], name[600], calendar[3000];

	memset(text, 'x', sizeof(text) - 1);
	memset(calendar, 'y', sizeof(calendar) - 1);
	memset(name, 'z', sizeof(name) - 1);
	text[sizeof(text) - 1] = calendar[sizeof(calendar) - 1] = name[sizeof(name) - 1] = '\0';
	message.text = message.html = text;
	message.calendar = calendar;
	message.subject = message.to.name = message.from.name = name;
	bytes = composed(&message);
	for (line = bytes; *line; line = end + 2) {
		end = strstr(line, "\r\n");
		CU_ASSERT_FATAL(end != NULL);
		CU_ASSERT(end - line <= 78);
		CU_ASSERT(memchr(line, '\n', (size_t)(end - line)) == NULL);
	}
	free(bytes);
}

static void injection(void)
{
	static const struct {
		const char *name;
		size_t field;
		const char *value;
	} cases[] = {
#define ROW(name, field, value) {name, offsetof(struct mail_message, field), value}
		ROW("subject CRLF", subject, "a\r\nBcc: x@y.example"),
		ROW("subject LF", subject, "a\n"),
		ROW("subject CR", subject, "\ra"),
		ROW("subject tab", subject, "a\tb"),
		ROW("subject C1", subject, "a\xc2\x85"),
		ROW("subject line separator", subject, "a\xe2\x80\xa8"),
		ROW("subject not UTF-8", subject, "a\xff"),
		ROW("to name", to.name, "a\r\nBcc: x@y.example"),
		ROW("to name not UTF-8", to.name, "a\xc3"),
		ROW("to email", to.email, "a@b.example\r\nBcc: x@y.example"),
		ROW("to two", to.email, "a@b.example,c@d.example"),
		ROW("to with brackets", to.email, "<a@b.example>"),
		ROW("from name", from.name, "\x1b[31m"),
		ROW("from email", from.email, "a@b.example>\n"),
		ROW("reply-to name", reply_to.name, "a\nb"),
		ROW("reply-to email", reply_to.email, "a"),
		ROW("message id CRLF", message_id, "a@b>\r\nBcc: x@y.example"),
		ROW("message id blank", message_id, "a b@c"),
		ROW("in-reply-to", in_reply_to, "a@b\n"),
		ROW("method CRLF", calendar_method, "REQUEST\r\nX: y"),
		ROW("method in lower case", calendar_method, "request"),
		ROW("method of another kind", calendar_method, "PUBLISH"),
		ROW("text not UTF-8", text, "\xff"),
		ROW("html not UTF-8", html, "\xed\xa0\x80"),
#undef ROW
	};
	struct mail_message message;
	struct err_info info;
	struct buf out;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message = invitation();
		message.reply_to.email = "reply@example.org";
		*(const char **)((char *)&message + cases[i].field) = cases[i].value;
		buf_init(&out, CEILING);
		err = mail_compose(&message, &out, &info);
		if (err != ERR_INVALID)
			fprintf(stderr, "injection: %s\n", cases[i].name);
		CU_ASSERT_EQUAL(err, ERR_INVALID);
		CU_ASSERT_EQUAL(out.len, 0);
		buf_fini(&out);
	}
}

static void message_ids(void)
{
	char longest[202], longer[203];

	memset(longest, 'a', sizeof(longest));
	memset(longer, 'a', sizeof(longer));
	memcpy(longest + 197, "@bc", 4);
	memcpy(longer + 197, "@bcd", 5);
	CU_ASSERT_TRUE(mail_message_id_valid("bk-A_z9.1.ready@mail.example"));
	CU_ASSERT_TRUE(mail_message_id_valid(longest));
	CU_ASSERT_FALSE(mail_message_id_valid(longer));
	CU_ASSERT_FALSE(mail_message_id_valid(""));
	CU_ASSERT_FALSE(mail_message_id_valid("a"));
	CU_ASSERT_FALSE(mail_message_id_valid("@b"));
	CU_ASSERT_FALSE(mail_message_id_valid("a@"));
	CU_ASSERT_FALSE(mail_message_id_valid("a@b@c"));
	CU_ASSERT_FALSE(mail_message_id_valid(".a@b"));
	CU_ASSERT_FALSE(mail_message_id_valid("../a@b"));
	CU_ASSERT_FALSE(mail_message_id_valid("a@b/c"));
	CU_ASSERT_FALSE(mail_message_id_valid("<a@b>"));
	CU_ASSERT_FALSE(mail_message_id_valid("\xc3\xa4@b"));
}

static void too_large(void)
{
	struct mail_message message = invitation();
	struct err_info info;
	struct buf out;

	buf_init(&out, 1000);
	CU_ASSERT_EQUAL(mail_compose(&message, &out, &info), ERR_INTERNAL);
	buf_fini(&out);
}

static const struct unit_case cases[] = {
	{"a mail without a calendar", without_calendar},
	{"an invitation", with_calendar},
	{"a thread and an address for answers", thread_and_reply},
	{"the same message is the same bytes", same_bytes},
	{"subjects", subjects},
	{"names", names},
	{"bodies", bodies},
	{"line lengths", line_lengths},
	{"nothing is injected", injection},
	{"message ids", message_ids},
	{"a mail over the ceiling", too_large},
};

UNIT_MAIN("mail_message", cases)
