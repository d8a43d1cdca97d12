#include "core_unit.h"
#include "gate.h"
#include "mail_letter.h"
#include "mail_read.h"
#include "mail_strike.h"

static enum err read_text(struct arena *arena, const char *text, struct mail_read *read_r)
{
	return mail_read(arena, text, strlen(text), read_r, NULL);
}

static void test_fields(void)
{
	struct arena *arena = arena_new();
	struct mail_read read;

	CU_ASSERT_EQUAL_FATAL(
		read_text(arena,
			"From me@example.org Mon Mar  1 14:00:00 2027\n"
			"to : a@b,\r\n\tc@d  \n"
			"TO: second\n"
			"Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\n =?iso-8859-1?B?4Q==?= x\n"
			"Content-Type: text/plain;\n charset=utf-8\n\nbody\n\nmore",
			&read),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(mail_read_field(&read, "To"), "a@b,\tc@d");
	CU_ASSERT_STRING_EQUAL(mail_read_text(arena, &read, "subject"), "Gr\xc3\xbc\xc3\x9f"
									"e\xc3\xa1 x");
	CU_ASSERT_STRING_EQUAL(mail_read_text(arena, &read, "X"), "");
	CU_ASSERT_PTR_NULL(mail_read_field(&read, "X"));
	CU_ASSERT_EQUAL(read.body_len, strlen("body\n\nmore"));
	CU_ASSERT_EQUAL(read.kept.count, 1);
	CU_ASSERT_STRING_EQUAL(*MODEL_AT(&read.kept, const char *, 0),
		"Content-Type: text/plain;\n charset=utf-8\n");
	arena_free(&arena);
}

/* What stands in a head may be anything; what is passed on of it may not. */
static void test_subjects(void)
{
	static const struct {
		const char *field, *text;
	} rows[] = {
		{"plain", "plain"},
		{"=?x-unknown?Q?a?=", "a"},
		{"=?UTF-8?Q?a=0D=0ABcc:_x?=", "a  Bcc: x"},
		{"=?UTF-8?Q?=E2=80=AEgnp?=", " gnp"},
		{"=?UTF-8?Q?=FF?=", "?"},
		{"a\x01z", "a z"},
	};
	struct arena *arena = arena_new();
	struct mail_read read;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_text(arena, arena_printf(arena, "Subject: %s\n\n", rows[i].field), &read);
		UNIT_CHECK(strcmp(mail_read_text(arena, &read, "Subject"), rows[i].text) == 0,
			rows[i].field);
	}
	arena_free(&arena);
}

#define MIXED "Content-Type: multipart/mixed; boundary=x\n\n--x\n"

static void test_parts(void)
{
	static const struct {
		const char *name, *message, *calendar;
	} rows[] = {
		{"alone", "Content-Type: text/calendar\n\nA\n", "A\n"},
		{"base64",
			"Content-Type: text/calendar\nContent-Transfer-Encoding: base64\n\nQQo=\n",
			"A\n"},
		{"in parts", MIXED "Content-Type: TEXT/Calendar; method=REPLY\n\nA\n--x--\n", "A"},
		{"attached", MIXED "Content-Type: application/ics\n\nA\n--x--\n", "A"},
		{"another charset",
			"Content-Type: text/calendar; charset=iso-8859-1\n"
			"Content-Transfer-Encoding: quoted-printable\n\n=E4\n",
			"\xc3\xa4"},
		{"no charset",
			"Content-Type: text/calendar; charset=nonsense\n"
			"Content-Transfer-Encoding: quoted-printable\n\n=E4\n",
			NULL},
		{"a NUL inside",
			"Content-Type: text/calendar\nContent-Transfer-Encoding: base64\n\nAEEK\n",
			NULL},
		{"in another message",
			MIXED
			"Content-Type: message/rfc822\n\nContent-Type: text/calendar\n\nA\n--x--\n",
			NULL},
		{"none", "Content-Type: text/plain\n\nA\n", NULL},
	};
	struct arena *arena = arena_new();
	struct mail_read read;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		UNIT_CHECK(read_text(arena, rows[i].message, &read) == ERR_OK, rows[i].name);
		UNIT_CHECK(rows[i].calendar
				   ? read.calendar && strncmp(read.calendar, rows[i].calendar,
							      strlen(rows[i].calendar)) == 0
				   : !read.calendar,
			rows[i].name);
	}
	arena_free(&arena);
}

static void test_refused(void)
{
	struct arena *arena = arena_new();
	char *huge = calloc(1, MAIL_READ_MAX + 2);
	struct mail_read read;

	CU_ASSERT_EQUAL(read_text(arena, "", &read), ERR_INVALID);
	CU_ASSERT_EQUAL(read_text(arena, "\n\nbody", &read), ERR_INVALID);
	CU_ASSERT_EQUAL(read_text(arena, "no head\n\nbody", &read), ERR_INVALID);
	CU_ASSERT_EQUAL(read_text(arena, ": no name\n\n", &read), ERR_INVALID);
	CU_ASSERT_EQUAL(mail_read(arena, "A: b\n\n\0", 7, &read, NULL), ERR_INVALID);
	memset(huge, 'x', MAIL_READ_MAX + 1);
	memcpy(huge, "A: b\n\n", 6);
	CU_ASSERT_EQUAL(mail_read(arena, huge, MAIL_READ_MAX + 1, &read, NULL), ERR_TOO_LARGE);
	CU_ASSERT_EQUAL(mail_read(arena, huge, MAIL_READ_MAX, &read, NULL), ERR_OK);
	memset(huge + 3, '(', 1000);
	CU_ASSERT_EQUAL(mail_read(arena, huge, 2000, &read, NULL), ERR_INVALID);
	free(huge);
	/* What people write of is no nesting: a lawyer may. */
	CU_ASSERT_EQUAL(
		read_text(arena, arena_printf(arena, "A: b\n\n%0*d", 200, 0), &read), ERR_OK);
	arena_free(&arena);
}

static void test_automatic(void)
{
	static const struct {
		const char *field;
		bool automatic;
	} rows[] = {
		{"Auto-Submitted: auto-replied", true},
		{"auto-submitted: auto-generated; x=y", true},
		{"Auto-Submitted: no", false},
		{"Precedence: bulk", true},
		{"Precedence: first-class", false},
		{"X-Autoreply: yes", true},
		{"List-Id: <a.example.org>", true},
		{"Return-Path: <>", true},
		{"Return-Path: <a@example.org>", false},
		{"X-Mailer: x", false},
	};
	struct arena *arena = arena_new();
	struct mail_read read;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_text(arena, arena_printf(arena, "%s\n\n", rows[i].field), &read);
		UNIT_CHECK(mail_read_is_automatic(&read) == rows[i].automatic, rows[i].field);
	}
	arena_free(&arena);
}

static void test_failures(void)
{
	static const struct {
		const char *report, *status; /* NULL: none failed */
	} rows[] = {
		{"Reporting-MTA: x\n\nAction: failed\nStatus: 5.1.1\n", "5.1.1"},
		{"Reporting-MTA: x\r\n\r\naction: FAILED\r\nstatus: 4.4.7 (expired)\r\n", "4.4.7"},
		{"R: x\n\nAction: delivered\nStatus: 2.0.0\n\nAction: failed\nStatus: 5.2.2\n",
			"5.2.2"},
		{"R: x\n\nAction: failed\n", "5.0.0"},
		{"R: x\n\nAction: failed\nStatus: <script>\n", "5.0.0"},
		{"R: x\n\nAction: delayed\nStatus: 4.4.1\n", NULL},
		{"", NULL},
	};
	struct arena *arena = arena_new();
	struct mail_read read = {0};
	const char *status;
	size_t i;

	CU_ASSERT_PTR_NULL(mail_read_failure(arena, &read));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read.status = rows[i].report;
		status = mail_read_failure(arena, &read);
		UNIT_CHECK(rows[i].status ? status && strcmp(status, rows[i].status) == 0 : !status,
			rows[i].report);
	}
	arena_free(&arena);
}

static void test_letter(void)
{
	static const struct mail_message head = {
		.message_id = "id.letter@mail.example",
		.date = 1803909600123,
		.from = {"Ada (Meetings)", "meetings@mail.example"},
		.to = {"Bo", "bo@example.org"},
		.reply_to = {NULL, "meetings+x@mail.example"},
		.subject = "Re: x",
	};
	struct arena *arena = arena_new();
	struct mail_read read;
	struct err_info info;
	struct buf out;

	read_text(arena,
		"X-Secret: 1\nMime-Version: 1.0\nContent-Type: a/b;\n c=d\nBcc: "
		"e\n\nF\r\n.\rG\n\nH",
		&read);
	buf_init(&out, MAIL_LETTER_MAX);
	CU_ASSERT_EQUAL(mail_letter_compose(&head, &read, &out, &info), ERR_OK);
	CU_ASSERT_STRING_EQUAL(out.bytes,
		"Date: Mon, 1 Mar 2027 14:00:00 +0000\r\n"
		"From: \"Ada (Meetings)\" <meetings@mail.example>\r\n"
		"Reply-To: meetings+x@mail.example\r\n"
		"To: Bo <bo@example.org>\r\n"
		"Message-ID: <id.letter@mail.example>\r\n"
		"Subject: Re: x\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"X-Auto-Response-Suppress: All\r\n"
		"List-Id: <meetings.mail.example>\r\n" MAIL_HOP_HEADER ": 1\r\n"
		"Mime-Version: 1.0\r\n"
		"Content-Type: a/b;\r\n c=d\r\n"
		"\r\nF\r\n.\r\nG\r\n\r\nH\r\n");
	buf_fini(&out);
	buf_init(&out, 64);
	CU_ASSERT_EQUAL(mail_letter_compose(&head, &read, &out, &info), ERR_TOO_LARGE);
	buf_fini(&out);
	CU_ASSERT_STRING_EQUAL(
		mail_letter_message_id(arena, "id", "a@mail.example"), "id.letter@mail.example");
	arena_free(&arena);
}

/* ---- links that are their reader's own ---- */

#define QUOTED "Content-Transfer-Encoding: quoted-printable\n\n"

static const char *as_base64(struct arena *arena, const char *text)
{
	const size_t len = strlen(text), size = 4 * (len + 2) / 3 + 1;
	char *encoded = arena_alloc(arena, size), *c;

	base64url_encode(text, len, encoded, size);
	for (c = encoded; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return arena_printf(arena, "%.*s\n%s\n", 20, encoded, encoded + 20);
}

/* How a token may stand in what somebody answers; NULL: that is all. */
static const char *with_token(struct arena *arena, size_t i, const char *token)
{
	const char *url = arena_printf(arena, "https://m.example/m/%s", token), *end = token + 20;

	switch (i) {
	case 0:
		return arena_printf(arena, "Subject: x\n\nYes.\n> %s\n> %s#x\n", url, url);
	case 1:
		return arena_printf(arena, "A: b\n\n>> %.40s\n>> %s\n", url, url + 40);
	case 2:
		return arena_printf(arena, QUOTED "<a href=3D\"%.30s=\n%s\">\n", url, url + 30);
	case 3:
		return arena_printf(arena, QUOTED "/m/=%02X%s\n", (unsigned)*token, token + 1);
	case 4:
		return arena_printf(arena, "Content-Transfer-Encoding: base64\n\n%s",
			as_base64(arena, arena_printf(arena, "Gr\xc3\xbc\xc3\x9f: %s", url)));
	case 5:
		return arena_printf(
			arena, "A: b\n\nhttps://x/?u=https%%3A%%2f%%2Fm%%2Fm%%2F%s&y\n", token);
	case 6:
		return arena_printf(arena,
			MIXED "\nHi\n--x\nContent-Type: text/calendar\n\n"
			      "URL:https://m/m/%.20s\r\n %s\r\n--x--\n",
			token, end);
	case 7:
		return arena_printf(arena,
			MIXED "\nHi\n--x\nContent-Type: message/rfc822\n\n"
			      "Subject: y\n\n%s\n--x--\n",
			url);
	case 8:
		return arena_printf(arena, "A: b\n\n%sand more", url);
	default:
		return NULL;
	}
}

static void test_links_are_struck(void)
{
	static const char stars[] = "**************************************************";
	struct secret_ring *ring = core_ring(CORE_KEY_1), *other = core_ring(CORE_KEY_2);
	struct arena *arena = arena_new();
	char token[GATE_TOKEN_SIZE];
	const char *message, *name;
	struct mail_read read;
	int purpose;
	size_t i;

	for (purpose = GATE_JOIN; purpose <= GATE_PAGE; purpose++) {
		gate_token(ring, (enum gate_purpose)purpose, CORE_ID, PARTY_CLIENT, 1, token);
		for (i = 0; (message = with_token(arena, i, token)); i++) {
			name = arena_printf(arena, "way %zu", i);
			CU_ASSERT_EQUAL_FATAL(read_text(arena, message, &read), ERR_OK);
			mail_strike_links(arena, other, &read);
			UNIT_CHECK(strstr(message, read.body) != NULL, name);
			mail_strike_links(arena, ring, &read);
			message = with_token(arena, i, stars);
			UNIT_CHECK(strstr(message, read.body) != NULL, name);
			UNIT_CHECK(strlen(read.body) == read.body_len, name);
		}
	}
	secret_ring_free(&ring);
	secret_ring_free(&other);
	arena_free(&arena);
}

/* What is no text stays as it is to the byte. */
static void test_attachments_are_left_alone(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	struct arena *arena = arena_new();
	char token[GATE_TOKEN_SIZE];
	struct mail_read read;

	gate_token(ring, GATE_PAGE, CORE_ID, PARTY_CLIENT, 0, token);
	read_text(arena,
		arena_printf(arena, MIXED "Content-Type: image/png\n\n/m/%s\n--x--\n", token),
		&read);
	mail_strike_links(arena, ring, &read);
	CU_ASSERT_PTR_NOT_NULL(strstr(read.body, token));
	secret_ring_free(&ring);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"fields", test_fields},
	{"subjects", test_subjects},
	{"parts", test_parts},
	{"refused", test_refused},
	{"automatic", test_automatic},
	{"failures", test_failures},
	{"letter", test_letter},
	{"links are struck", test_links_are_struck},
	{"attachments are left alone", test_attachments_are_left_alone},
};

UNIT_MAIN("mail_read", cases)
