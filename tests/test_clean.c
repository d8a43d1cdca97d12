#include "clean.h"

#include "unit.h"
#include "utf8.h"

#define JWT "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhQGIifQ.c2lnbmF0dXJl"

/* What may be quoted back, and what is left of it. */
static void test_table(void)
{
	static const struct {
		const char *name, *said, *kept;
	} rows[] = {
		{"nothing", "", ""},
		{"blanks only", " \t\r\n ", ""},
		{"words", "Validation Failed.", "Validation Failed."},
		{"code, field and message", "300: Validation Failed. password: Must be numeric.",
			"300: Validation Failed. password: Must be numeric."},
		{"AADSTS", "AADSTS7000215: Invalid client secret provided.",
			"AADSTS7000215: Invalid client secret provided."},
		{"a long word", "forbiddenForServiceAccounts: No.",
			"forbiddenForServiceAccounts: No."},
		{"a scope", "lacks OnlineMeetings.ReadWrite.All and meeting:write:meeting:admin",
			"lacks OnlineMeetings.ReadWrite.All and meeting:write:meeting:admin"},
		{"a zone", "unknown zone Europe/Kyiv", "unknown zone Europe/Kyiv"},
		{"a time", "before 2026-11-27T12:33:44Z", "before 2026-11-27T12:33:44Z"},
		{"quotes", "the field 'password' is \"bad\"", "the field 'password' is \"bad\""},
		{"other scripts", "Неверный пароль, 密码错误", "Неверный пароль, 密码错误"},
		{"Arabic and Hebrew", "كلمة المرور غير صالحة סיסמה", "كلمة المرور غير صالحة סיסמה"},

		{"a link", "see https://zoom.us/j/1?pwd=abc now", "see [link] now"},
		{"in brackets", "see (http://a.example).", "see ([link])."},
		{"without a scheme", "at zoom.us/j/851", "at [link]"},
		{"encoded", "at https%3A%2F%2Fzoom.us", "at [link]"},
		{"of other schemes", "javascript:alert data:text/html,x www.a.example",
			"[link],x [link]"},
		{"of an app", "zoommtg://zoom.us/join msteams:l", "[link]"},

		{"an address", "User host@lawyers.example is unknown.",
			"User [address] is unknown."},
		{"an address in angle brackets", "Ada <ada@example.com>, <5@a.example>",
			"Ada , [address]"},
		{"an encoded address", "/users/ada%40example.com", "[address]"},
		{"a wide sign", "ada\uff20example.com", "[address]"},

		{"a JWT", "bad token " JWT, "bad token [token]"},
		{"a JWT amid other text", "{\"token\":\"" JWT "\"}", "{\"token\":\"[token]\"}"},
		{"a bearer token", "Authorization: Bearer abcdefg", "[token]"},
		{"basic credentials", "authorization: basic YTpi end", "[token] end"},
		{"a name without its token", "a Bearer", "a [token]"},
		{"an opaque token", "token Xa8_kk39d-s0dkFJ3kd9sPq1 expired",
			"token [token] expired"},
		{"hex", "key 0123456789abcdef0123456789abcdef", "key [token]"},
		{"base64", "c2VjcmV0IHNlY3JldCBzZWNyZXQgMTIz+/==", "[token]"},
		{"a passcode of ours", "'Ey747RFTzQ' is too long", "'[token]' is too long"},
		{"an assignment", "client_secret=hush&x=1 is wrong", "[token] is wrong"},
		{"one with quotes", "client_secret=\"hush\" is wrong", "[token]\"\" is wrong"},
		{"letters without end", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
			"[token]"},

		{"controls",
			"a\001b\033[31mc\177d\xc2\x85"
			"e",
			"a b [31mc d e"},
		{"line breaks", "a\r\nSet-Cookie: x\u2028y", "a Set-Cookie: x y"},
		{"bidi controls", "a\u202eb\u2066c\u2069d\u200fe\u061cf", "abcdef"},
		{"zero width", "a\u200bb\u2060c\ufeffd\u00ade", "abcde"},
		{"a token with zero width inside", "eyJhb\u200bGciOi\u2060JIUzI1", "[token]"},
		{"noncharacters and tags", "a\ufffe\U0001fffe\ufdd0\U000e0041b", "ab"},
		{"broken UTF-8", "a\xff\xc3(b\xe2\x82", "a (b"},
		{"overlong and surrogates", "a\xc0\xaf\xed\xa0\x80z", "a z"},

		{"HTML",
			"<html><head><title>502 Bad Gateway</title></head><body>"
			"<h1>nginx</h1></body></html>",
			"502 Bad Gateway nginx"},
		{"a link in HTML", "<a href=\"https://x.example/?t=1\">here</a>", "here"},
		{"XML",
			"<?xml version=\"1.0\"?><result><code>300</code><message>Validation "
			"Failed.</message></result>",
			"300 Validation Failed."},
		{"CDATA", "<m><![CDATA[Too short]]></m>", "Too short]]"},
		{"angles that are no tags", "1 < 2 > 0 <b", "1 2 0 b"},
		{"a tag out of pieces", "<\u202eb>x", "b x"},
	};
	char text[CLEAN_SIZE], again[CLEAN_SIZE];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		clean_text(rows[i].said, strlen(rows[i].said), text);
		UNIT_CHECK(strcmp(text, rows[i].kept) == 0, rows[i].name);
		if (strcmp(text, rows[i].kept) != 0)
			printf("\n%s: \"%s\"\n", rows[i].name, text);
		clean_text(text, strlen(text), again);
		UNIT_CHECK(strcmp(text, again) == 0, rows[i].name);
	}
}

static void test_nul(void)
{
	char text[CLEAN_SIZE];

	clean_text("a\0b", 3, text);
	CU_ASSERT_STRING_EQUAL(text, "a b");
}

/* 200 characters, whatever they take, and from however much. */
static void test_length(void)
{
	static const struct {
		const char *name, *of;
		size_t count; /* of the characters that are kept */
	} rows[] = {
		{"words", "ab ", 200},
		{"wide words", "\u5bc6 ", 200},
		{"four bytes", "\U0001f600 ", 200},
		{"one long word", "a", 7}, /* [token] */
		{"a long token", "a1", 7},
		{"one long wide word", "\u5bc6", 200},
		{"controls", "\001", 0},
		{"broken", "\xff", 0},
		{"tags", "<b>", 0},
		{"tags without an end", "<b", 200},
		{"links", "http://a.example ", 6},
		{"addresses", "a@b.example, ", 200},
		{"delimiters", "\"", 200},
	};
	enum { LEN = 1024 * 1024 };
	char *said = malloc(LEN + 8), text[CLEAN_SIZE];
	size_t i, len, step, count;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		step = strlen(rows[i].of);
		for (len = 0; len + step <= LEN; len += step)
			memcpy(said + len, rows[i].of, step);
		clean_text(said, len, text);
		UNIT_CHECK(utf8_valid(text, strlen(text), &count), rows[i].name);
		UNIT_CHECK(count == rows[i].count, rows[i].name);
		if (count != rows[i].count)
			printf("\n%s: %zu\n", rows[i].name, count);
	}
	free(said);
}

/* Bytes that mean nothing, of every value. */
static void test_noise(void)
{
	unsigned char noise[3000];
	char text[CLEAN_SIZE], again[CLEAN_SIZE];
	size_t i, round, count;
	unsigned state = 1;

	for (round = 0; round < 500; round++) {
		for (i = 0; i < sizeof(noise); i++) {
			state = state * 1103515245 + 12345;
			noise[i] = (unsigned char)(state >> 16);
		}
		clean_text((const char *)noise, round * 6, text);
		CU_ASSERT_FATAL(utf8_valid(text, strlen(text), &count) && count <= CLEAN_MAX);
		CU_ASSERT_FATAL(!utf8_has_control(text, false));
		CU_ASSERT_FATAL(!strpbrk(text, "<>@="));
		clean_text(text, strlen(text), again);
		CU_ASSERT_STRING_EQUAL_FATAL(again, text);
	}
}

static const struct unit_case cases[] = {
	{"what is left of what was said", test_table},
	{"NUL", test_nul},
	{"length", test_length},
	{"noise", test_noise},
};

UNIT_MAIN("clean", cases)
