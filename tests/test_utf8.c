#include <stdint.h>

#include "unit.h"
#include "utf8.h"

/* After "UTF-8 decoder capability and stress test" by Markus Kuhn, and RFC 3629 section 4. */
static void test_valid(void)
{
#define BYTES(text) (text), sizeof(text) - 1
	static const struct {
		const char *name, *bytes;
		size_t len;
		int count; /* of code points; -1: not well formed */
	} cases[] = {
		{"empty", BYTES(""), 0},
		{"ASCII", BYTES("abc"), 3},
		{"a NUL", BYTES("a\0b"), 3},
		{"1 some correct text", BYTES("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"), 5},
		{"2.1.1 U+0000", BYTES("\0"), 1},
		{"2.1.2 U+0080", BYTES("\xc2\x80"), 1},
		{"2.1.3 U+0800", BYTES("\xe0\xa0\x80"), 1},
		{"2.1.4 U+10000", BYTES("\xf0\x90\x80\x80"), 1},
		{"2.1.5 five bytes", BYTES("\xf8\x88\x80\x80\x80"), -1},
		{"2.1.6 six bytes", BYTES("\xfc\x84\x80\x80\x80\x80"), -1},
		{"2.2.1 U+007F", BYTES("\x7f"), 1},
		{"2.2.2 U+07FF", BYTES("\xdf\xbf"), 1},
		{"2.2.3 U+FFFF", BYTES("\xef\xbf\xbf"), 1},
		{"2.2.4 U+1FFFFF", BYTES("\xf7\xbf\xbf\xbf"), -1},
		{"2.2.5 U+3FFFFFF", BYTES("\xfb\xbf\xbf\xbf\xbf"), -1},
		{"2.2.6 U+7FFFFFFF", BYTES("\xfd\xbf\xbf\xbf\xbf\xbf"), -1},
		{"2.3.1 U+D7FF", BYTES("\xed\x9f\xbf"), 1},
		{"2.3.2 U+E000", BYTES("\xee\x80\x80"), 1},
		{"2.3.3 U+FFFD", BYTES("\xef\xbf\xbd"), 1},
		{"2.3.4 U+10FFFF", BYTES("\xf4\x8f\xbf\xbf"), 1},
		{"2.3.5 U+110000", BYTES("\xf4\x90\x80\x80"), -1},
		{"3.1.1 first continuation byte", BYTES("\x80"), -1},
		{"3.1.2 last continuation byte", BYTES("\xbf"), -1},
		{"3.1.3 two continuation bytes", BYTES("\x80\xbf"), -1},
		{"3.1.4 a continuation too many", BYTES("\xc3\xa4\x80"), -1},
		{"3.2.1 lonely start of two", BYTES("\xc3 "), -1},
		{"3.2.2 lonely start of three", BYTES("\xe2 "), -1},
		{"3.2.3 lonely start of four", BYTES("\xf0 "), -1},
		{"3.3.1 last byte missing of two", BYTES("\xc3"), -1},
		{"3.3.2 last byte missing of three", BYTES("\xe2\x82"), -1},
		{"3.3.3 last byte missing of four", BYTES("\xf0\x9f\x98"), -1},
		{"3.3.4 last byte missing, more text", BYTES("\xe2\x82z"), -1},
		{"3.4 starts that follow each other", BYTES("\xc3\xe2\x82\xf0\x9f\x98"), -1},
		{"3.5.1 FE", BYTES("\xfe"), -1},
		{"3.5.2 FF", BYTES("\xff"), -1},
		{"4.1.1 overlong slash of two", BYTES("\xc0\xaf"), -1},
		{"4.1.2 overlong slash of three", BYTES("\xe0\x80\xaf"), -1},
		{"4.1.3 overlong slash of four", BYTES("\xf0\x80\x80\xaf"), -1},
		{"4.2.1 greatest overlong of two", BYTES("\xc1\xbf"), -1},
		{"4.2.2 greatest overlong of three", BYTES("\xe0\x9f\xbf"), -1},
		{"4.2.3 greatest overlong of four", BYTES("\xf0\x8f\xbf\xbf"), -1},
		{"4.3 overlong NUL", BYTES("\xc0\x80"), -1},
		{"5.1.1 high surrogate U+D800", BYTES("\xed\xa0\x80"), -1},
		{"5.1.2 high surrogate U+DBFF", BYTES("\xed\xaf\xbf"), -1},
		{"5.1.3 low surrogate U+DC00", BYTES("\xed\xb0\x80"), -1},
		{"5.1.4 low surrogate U+DFFF", BYTES("\xed\xbf\xbf"), -1},
		{"5.2 a pair of surrogates", BYTES("\xed\xa0\x80\xed\xb0\x80"), -1},
		{"5.3 noncharacters", BYTES("\xef\xbf\xbe\xef\xb7\x90\xf0\x9f\xbf\xbe"), 3},
		{"byte order mark", BYTES("\xef\xbb\xbf"), 1},
		{"Latin-1", BYTES("caf\xe9"), -1},
		{"F5", BYTES("\xf5\x80\x80\x80"), -1},
		{"wrong at the end",
			BYTES("a\xc3\xa4"
			      "b\xff"),
			-1},
	};
	size_t i, count;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		count = 99;
		UNIT_CHECK(
			utf8_valid(cases[i].bytes, cases[i].len, &count) == (cases[i].count >= 0),
			cases[i].name);
		if (cases[i].count >= 0)
			UNIT_CHECK(count == (size_t)cases[i].count, cases[i].name);
		UNIT_CHECK(utf8_valid(cases[i].bytes, cases[i].len, NULL) == (cases[i].count >= 0),
			cases[i].name);
	}
	/* Only the bytes that were given are looked at. */
	CU_ASSERT(!utf8_valid("\xe2\x82\xac", 2, NULL));
}

/* RFC 3629 section 3. */
static size_t encode(uint32_t point, char bytes_r[4])
{
	if (point < 0x80) {
		bytes_r[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		bytes_r[0] = (char)(0xc0 | point >> 6);
		bytes_r[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		bytes_r[0] = (char)(0xe0 | point >> 12);
		bytes_r[1] = (char)(0x80 | (point >> 6 & 0x3f));
		bytes_r[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	bytes_r[0] = (char)(0xf0 | point >> 18);
	bytes_r[1] = (char)(0x80 | (point >> 12 & 0x3f));
	bytes_r[2] = (char)(0x80 | (point >> 6 & 0x3f));
	bytes_r[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

static void test_every_code_point(void)
{
	uint32_t point;
	char bytes[4];
	int wrong = 0;
	bool surrogate;

	for (point = 0; point <= 0x1fffff; point++) {
		surrogate = point >= 0xd800 && point <= 0xdfff;
		wrong += utf8_valid(bytes, encode(point, bytes), NULL) !=
			 (!surrogate && point <= 0x10ffff);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void test_control(void)
{
	static const struct {
		const char *name, *text;
		bool one_line, multi_line; /* whether it has a control character */
	} cases[] = {
		{"empty", "", false, false},
		{"text",
			"Gr\xc3\xbc\xc3\x9f"
			"e \xf0\x9f\x98\x80",
			false, false},
		{"line feed", "a\nb", true, false},
		{"carriage return", "a\rb", true, false},
		{"tab", "a\tb", true, false},
		{"bell", "a\ab", true, true},
		{"escape", "a\x1b[2J", true, true},
		{"unit separator", "\x1f", true, true},
		{"vertical tab", "a\vb", true, true},
		{"DEL", "a\x7f", true, true},
		{"U+0080", "\xc2\x80", true, true},
		{"U+0085 next line", "a\xc2\x85", true, true},
		{"U+009F", "\xc2\x9f", true, true},
		{"U+00A0 is a space",
			"a\xc2\xa0"
			"b",
			false, false},
		{"U+2028 line separator",
			"a\xe2\x80\xa8"
			"b",
			true, false},
		{"U+2029 paragraph separator",
			"a\xe2\x80\xa9"
			"b",
			true, false},
		{"U+2027 and U+202A are none", "\xe2\x80\xa7\xe2\x80\xaa", false, false},
		{"space", " ", false, false},
		{"tilde", "~", false, false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		UNIT_CHECK(
			utf8_has_control(cases[i].text, false) == cases[i].one_line, cases[i].name);
		UNIT_CHECK(utf8_has_control(cases[i].text, true) == cases[i].multi_line,
			cases[i].name);
	}
}

static void test_refusal(void)
{
	static const char well_formed[] = "must be valid UTF-8",
			  control[] = "must not contain control characters",
			  forbidden[] = "must not contain characters that turn the direction of "
					"text, U+FEFF or noncharacters";
	static const struct {
		const char *name, *text, *one_line, *multi_line;
	} cases[] = {
		{"empty", "", NULL, NULL},
		{"not UTF-8", "a\xff", well_formed, well_formed},
		{"a surrogate", "\xed\xa0\x80", well_formed, well_formed},
		{"a line break", "a\nb", control, NULL},
		{"a bell", "a\ab", control, control},
		{"U+2028 line separator", "\u2028", control, NULL},
		{"U+2029 paragraph separator", "\u2029", control, NULL},
		{"U+202A left-to-right embedding", "a\u202ab", forbidden, forbidden},
		{"U+202B right-to-left embedding", "\u202b", forbidden, forbidden},
		{"U+202C pop directional formatting", "a\u202c", forbidden, forbidden},
		{"U+202D left-to-right override", "\u202d", forbidden, forbidden},
		{"U+202E right-to-left override", "photo_\u202egpj.exe", forbidden, forbidden},
		{"U+202F narrow no-break space", "10\u202f000 \xe2\x82\xac", NULL, NULL},
		{"U+2065 is not assigned", "\u2065", NULL, NULL},
		{"U+2066 left-to-right isolate", "\u2066", forbidden, forbidden},
		{"U+2067 right-to-left isolate", "\u2067", forbidden, forbidden},
		{"U+2068 first strong isolate", "\u2068", forbidden, forbidden},
		{"U+2069 pop directional isolate", "\u2069", forbidden, forbidden},
		{"U+206A is none of them", "\u206a", NULL, NULL},
		{"U+FEFF first", "\ufeffAda", forbidden, forbidden},
		{"U+FEFF later", "A\ufeff", forbidden, forbidden},
		{"U+FDCF", "\ufdcf", NULL, NULL},
		{"U+FDD0", "\ufdd0", forbidden, forbidden},
		{"U+FDEF", "\ufdef", forbidden, forbidden},
		{"U+FDF0, a ligature of Arabic", "\ufdf0", NULL, NULL},
		{"U+FFFD", "\ufffd", NULL, NULL},
		{"U+FFFE", "\ufffe", forbidden, forbidden},
		{"U+FFFF", "\uffff", forbidden, forbidden},
		{"U+1FFFD", "\U0001fffd", NULL, NULL},
		{"U+1FFFE", "\U0001fffe", forbidden, forbidden},
		{"U+10FFFF", "\U0010ffff", forbidden, forbidden},
		{"behind lines", "a\nb\n\u202e", control, forbidden},
		{"Arabic", "\u0645\u062d\u0645\u062f", NULL, NULL},
		{"Arabic with its mark", "\u061c\u0645", NULL, NULL},
		{"Hebrew with points", "\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd", NULL, NULL},
		{"Hebrew with a mark for a bracket", "\u05d0)\u200f", NULL, NULL},
		{"U+200E left-to-right mark", "\u05d0\u200e 1", NULL, NULL},
		{"Persian with a non-joiner", "\u0645\u06cc\u200c\u062e\u0648", NULL, NULL},
		{"a family of emoji", "\U0001f468\u200d\U0001f469\u200d\U0001f467", NULL, NULL},
		{"the flag of England",
			"\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
			NULL, NULL},
	};
	const char *refusal;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refusal = utf8_refusal(cases[i].text, false);
		UNIT_CHECK(refusal ? cases[i].one_line && strcmp(refusal, cases[i].one_line) == 0
				   : !cases[i].one_line,
			cases[i].name);
		refusal = utf8_refusal(cases[i].text, true);
		UNIT_CHECK(
			refusal ? cases[i].multi_line && strcmp(refusal, cases[i].multi_line) == 0
				: !cases[i].multi_line,
			cases[i].name);
	}
}

/* Unicode 15, section 23.7: 66 noncharacters; and nine that turn the direction, and U+FEFF. */
static void test_forbidden_of_all(void)
{
	uint32_t point;
	char bytes[5];
	size_t len, found;
	int count = 0, wrong = 0;

	for (point = 1; point <= 0x10ffff; point++) {
		if (point >= 0xd800 && point <= 0xdfff)
			continue;
		len = encode(point, bytes);
		bytes[len] = '\0';
		found = utf8_forbidden(bytes);
		count += found > 0;
		wrong += found > 0 && found != len;
	}
	CU_ASSERT_EQUAL(count, 66 + 9 + 1);
	CU_ASSERT_EQUAL(wrong, 0);
	/* A text that ends too early is looked at no further. */
	CU_ASSERT_EQUAL(utf8_forbidden("\xe2\x80"), 0);
	CU_ASSERT_EQUAL(utf8_forbidden("\xf0\x9f"), 0);
}

static void test_same_but_case(void)
{
	static const struct {
		const char *one, *other;
		bool same;
	} cases[] = {
		{"", "", true},
		{"Ada@Example", "aDA@eXAMPLE", true},
		{"a", "", false},
		{"a", "ab", false},
		{"ab", "a", false},
		{"a@b", "a`b", false},
		{"[", "{", false},
		{"\xc3\x84", "\xc3\xa4", false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		UNIT_CHECK(utf8_same_but_case(cases[i].one, cases[i].other) == cases[i].same,
			cases[i].one);
		UNIT_CHECK(utf8_same_but_case(cases[i].other, cases[i].one) == cases[i].same,
			cases[i].one);
	}
}

static void test_prefix(void)
{
	static const struct {
		const char *name, *text;
		size_t limit, len;
	} cases[] = {
		{"shorter", "abc", 5, 3},
		{"as long", "abc", 3, 3},
		{"longer", "abcd", 3, 3},
		{"nothing", "abc", 0, 0},
		{"empty", "", 3, 0},
		{"behind a code point", "a\xc3\xa4z", 3, 3},
		{"within two bytes", "a\xc3\xa4z", 2, 1},
		{"after one of three", "\xe2\x82\xacz", 1, 0},
		{"after two of three", "a\xe2\x82\xacz", 3, 1},
		{"after three of four", "a\xf0\x9f\x98\x80", 4, 1},
		{"all four",
			"a\xf0\x9f\x98\x80"
			"b",
			5, 5},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		UNIT_CHECK(
			utf8_prefix(cases[i].text, cases[i].limit) == cases[i].len, cases[i].name);
}

__attribute__((format(printf, 2, 3))) static void format(char text_r[12], const char *words, ...)
{
	va_list args;

	va_start(args, words);
	utf8_vformat(text_r, 12, words, args);
	va_end(args);
}

static void test_format(void)
{
	static const struct {
		const char *name, *text, *kept;
	} cases[] = {
		{"fits", "0123456789a", "0123456789a"},
		{"cut", "0123456789ab", "01234567"},
		{"cut in a code point",
			"0123456\xf0\x9f\x98\x80"
			"b",
			"0123456"},
		{"cut before a code point",
			"01234567\xe2\x82\xac"
			"b",
			"01234567"},
		{"fits with a code point", "0123456\xf0\x9f\x98\x80", "0123456\xf0\x9f\x98\x80"},
	};
	char text[12];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		format(text, "%s", cases[i].text);
		UNIT_CHECK(strcmp(text, cases[i].kept) == 0, cases[i].name);
	}
}

static void test_rtl(void)
{
	static const struct {
		const char *text;
		bool rtl;
	} cases[] = {
		{"", false},
		{"Ada \u201cO\u2019Hara\u201d 12:30 \u2013", false},
		{"\u65e5\u672c \u0e01 \u0416 \U0001f469\u200d\U0001f4bb", false},
		{"a\u200eb", false}, /* left-to-right mark */
		{"a\u05d0", true},
		{"\u0661", true}, /* Arabic digits */
		{"a\u200f", true},
		{"\ufee0", true},
		{"\U0001e900", true},
		{"\xff\u05d0", true},
		{"\xff", false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		UNIT_CHECK(utf8_has_rtl(cases[i].text, strlen(cases[i].text)) == cases[i].rtl,
			cases[i].text);
	CU_ASSERT(!utf8_has_rtl("a\u05d0", 1));
}

static void test_line_break(void)
{
	static const char *const breaks[] = {"\r\n", "\n", "\r", "\xc2\x85", "\u2028", "\u2029"};
	static const char *const others[] = {"", " ", "a\n", "\t", "\v", "\u2027", "\u00a0"};
	char text[8];
	size_t i;

	for (i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		snprintf(text, sizeof(text), "%sx", breaks[i]);
		UNIT_CHECK(utf8_line_break(text) == strlen(breaks[i]), breaks[i]);
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		UNIT_CHECK(utf8_line_break(others[i]) == 0, others[i]);
}

/* Every byte at every place of a text of some length. */
static void test_plain(void)
{
	char text[21];
	size_t len, at;
	int byte;
	bool plain;

	for (len = 0; len < sizeof(text); len++) {
		memset(text, '~', sizeof(text));
		text[len] = '\0';
		CU_ASSERT_EQUAL(utf8_plain(text, len), len);
		CU_ASSERT_EQUAL(utf8_line(text, len), len);
		for (at = 0; at < len; at++) {
			for (byte = 0; byte < 256; byte++) {
				plain = byte >= 0x20 && byte <= 0x7e;
				text[at] = (char)byte;
				CU_ASSERT_EQUAL(utf8_plain(text, len), plain ? len : at);
				CU_ASSERT_EQUAL(utf8_line(text, len),
					byte == '\n' || byte == '\r' ? at : len);
			}
			text[at] = '~';
		}
	}
}

static void test_line(void)
{
	static const char *const breaks[] = {"\r\n", "\n", "\r", "\xc2\x85", "\u2028", "\u2029"};
	static const char *const before[] = {"", "plain and so on", "\u00a0\u2027\x7f\t", "\xc2"};
	char text[32];
	size_t i, j;

	for (i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
		for (j = 0; j < sizeof(before) / sizeof(before[0]); j++) {
			snprintf(text, sizeof(text), "%s%sx\n", before[j], breaks[i]);
			UNIT_CHECK(utf8_line(text, strlen(text)) == strlen(before[j]), text);
		}
	CU_ASSERT_EQUAL(utf8_line("a\0b\n", 4), 3);
}

static const struct unit_case cases[] = {
	{"well-formed and not", test_valid},
	{"every code point", test_every_code_point},
	{"printable ASCII", test_plain},
	{"lines", test_line},
	{"control characters", test_control},
	{"what is refused", test_refusal},
	{"what is forbidden of all", test_forbidden_of_all},
	{"the same but for case", test_same_but_case},
	{"right-to-left", test_rtl},
	{"line breaks", test_line_break},
	{"prefixes", test_prefix},
	{"formats that are cut", test_format},
};

UNIT_MAIN("utf8", cases)
