#include <stdio.h>
#include <stdlib.h>

#include "mail_address.h"
#include "unit.h"

#define TEN   "bbbbbbbbbb"
#define SIXTY TEN TEN TEN TEN TEN TEN

struct parse_case {
	const char *name, *text;
	const char *person, *email; /* email NULL: refused */
};

static const struct parse_case parse_cases[] = {
	{"bare", "a@b.example", NULL, "a@b.example"},
	{"one label", "meetings@localhost", NULL, "meetings@localhost"},
	{"named", "Meetings <meetings@localhost>", "Meetings", "meetings@localhost"},
	{"dot in a name", "J. Doe <j@d.example>", "J. Doe", "j@d.example"},
	{"quoted name", "\"Doe, Jane\" <j@d.example>", "Doe, Jane", "j@d.example"},
	{"quote in a name", "\"J \\\"x\\\" D\" <j@d.example>", "J \"x\" D", "j@d.example"},
	{"UTF-8 name", "Jörg <j@d.example>", "Jörg", "j@d.example"},
	{"U-label", "J <j@Müller.Example>", "J", "j@xn--mller-kva.example"},
	{"A-label", "j@xn--mller-kva.example", NULL, "j@xn--mller-kva.example"},
	{"atext", "o'neil+x/y=z@b.example", NULL, "o'neil+x/y=z@b.example"},
	{"host in upper case", "Ab@C.Example", NULL, "Ab@c.example"},
	{"nothing", "", NULL, NULL},
	{"two", "a@b.example, c@d.example", NULL, NULL},
	{"two named", "A <a@b.example>, C <c@d.example>", NULL, NULL},
	{"address for a name", "a@b.example <c@d.example>", NULL, NULL},
	{"group", "undisclosed:;", NULL, NULL},
	{"unquoted comma", "Doe, J <j@d.example>", NULL, NULL},
	{"comment", "J (work) <j@d.example>", NULL, NULL},
	{"open quote", "\"J <j@d.example>", NULL, NULL},
	{"escaped closing quote", "\"J\\\" <j@d.example>", NULL, NULL},
	{"text after a quote", "\"J\" D <j@d.example>", NULL, NULL},
	{"no name", "<j@d.example>", NULL, NULL},
	{"empty quotes", "\"\" <j@d.example>", NULL, NULL},
	{"text behind", "J <j@d.example> x", NULL, NULL},
	{"not closed", "J <j@d.example", NULL, NULL},
	{"not opened", "J j@d.example>", NULL, NULL},
	{"CRLF", "j@d.example\r\nBcc: x@y.example", NULL, NULL},
	{"LF in a name", "J\nX <j@d.example>", NULL, NULL},
	{"C1 control in a name", "J\xc2\x85 <j@d.example>", NULL, NULL},
	{"not UTF-8", "\xff <j@d.example>", NULL, NULL},
	{"non-ASCII local part", "jörg@d.example", NULL, NULL},
};

static void parse(void)
{
	struct mail_address address;
	struct err_info info;
	struct arena *arena;
	bool same;
	size_t i;

	for (i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		const struct parse_case *c = &parse_cases[i];

		arena = arena_new();
		err_clear(&info);
		if (mail_address_parse(arena, c->text, &address, &info) != ERR_OK)
			same = !c->email && info.err == ERR_INVALID;
		else
			same = c->email && strcmp(address.email, c->email) == 0 &&
			       !address.name == !c->person &&
			       (!c->person || strcmp(address.name, c->person) == 0);
		if (!same)
			fprintf(stderr, "parse: %s\n", c->name);
		CU_ASSERT(same);
		arena_free(&arena);
	}
}

static void valid(void)
{
	static const struct {
		const char *email;
		bool valid;
	} cases[] = {
		{"a@b", true},
		{"a@müller.example", true},
		{"a@ß.example", true},
		{"a.b.c@d-e.example", true},
		{SIXTY "bbbb@b.example", true},
		{SIXTY "bbbbb@b.example", false},
		{"a@" SIXTY "bbb.example", true},
		{"a@" SIXTY "bbbb.example", false},
		{"a@" SIXTY "." SIXTY "." SIXTY "." SIXTY ".bbbbbbbb", true}, /* 254 octets */
		{"ab@" SIXTY "." SIXTY "." SIXTY "." SIXTY ".bbbbbbbb", false},
		{"", false},
		{"@", false},
		{"a", false},
		{"a@", false},
		{"@b", false},
		{"a@b@c", false},
		{".a@b", false},
		{"a.@b", false},
		{"a..b@c", false},
		{"\"a b\"@c", false},
		{"a b@c", false},
		{"a@b c", false},
		{"a@b..c", false},
		{"a@b.", false},
		{"a@.b", false},
		{"a@-b", false},
		{"a@b-", false},
		{"a@b_c", false},
		{"a@...", false},
		{"a@127.0.0.1", false},
		{"a@erased.invalid", false},
		{"a@Erased.INVALID", false},
		{"a@invalid", false},
		{"a@invalid.example", true},
		{"a@b.test", true},
		{"a@b.local", true},
		{"a@[127.0.0.1]", false},
		{"a@xn--", false},
		{"a@xn--zzzzzzz99999", false},
		{"a@\xe2\x98\x83.example", false}, /* a symbol: not in IDNA2008 */
		{"a@b\xe2\x80\xae.example", false},
		{"a@b\xff.example", false},
		{"a@b\r\n", false},
		{"a@b>", false},
		{"<a@b>", false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (mail_email_valid(cases[i].email) != cases[i].valid)
			fprintf(stderr, "valid: %s\n", cases[i].email);
		CU_ASSERT_EQUAL(mail_email_valid(cases[i].email), cases[i].valid);
	}
}

static const struct unit_case cases[] = {
	{"addresses with and without a name", parse},
	{"what is deliverable", valid},
};

UNIT_MAIN("mail_address", cases)
