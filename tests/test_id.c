#include "id.h"
#include "unit.h"

static void test_random(void)
{
	enum { COUNT = 1000 };
	static char ids[COUNT][ID_SIZE];
	unsigned char seeds[2][32];
	int i, j;

	for (i = 0; i < COUNT; i++) {
		id_random(ids[i]);
		CU_ASSERT_EQUAL(strlen(ids[i]), ID_SIZE - 1);
		CU_ASSERT(id_valid(ids[i]));
		for (j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(ids[i], ids[j]);
	}
	id_seed(seeds[0], sizeof(seeds[0]));
	id_seed(seeds[1], sizeof(seeds[1]));
	CU_ASSERT(memcmp(seeds[0], seeds[1], sizeof(seeds[0])) != 0);
}

static void test_random_below(void)
{
	unsigned seen = 0;
	uint32_t number;
	int i;

	for (i = 0; i < 1000; i++) {
		number = id_random_below(5);
		CU_ASSERT_FATAL(number < 5);
		seen |= 1u << number;
	}
	CU_ASSERT_EQUAL(seen, 0x1f);
	CU_ASSERT_EQUAL(id_random_below(1), 0);
}

static void test_valid(void)
{
	static const struct {
		const char *name, *id;
		bool valid;
	} cases[] = {
		{"all zero", "AAAAAAAAAAAAAAAAAAAAAA", true},
		{"all ones", "_____________________w", true},
		{"every kind of character", "aZ09-_aZ09-_aZ09-_aZ0A", true},
		{"bits behind the 128th", "AAAAAAAAAAAAAAAAAAAAAB", false},
		{"too short", "AAAAAAAAAAAAAAAAAAAAA", false},
		{"too long", "AAAAAAAAAAAAAAAAAAAAAAA", false},
		{"17 bytes", "AAAAAAAAAAAAAAAAAAAAAAAA", false},
		{"padding", "AAAAAAAAAAAAAAAAAAAAAA==", false},
		{"plus of plain base64", "+AAAAAAAAAAAAAAAAAAAAA", false},
		{"slash of plain base64", "/AAAAAAAAAAAAAAAAAAAAA", false},
		{"a space", "AAAAAAAAAAA AAAAAAAAAA", false},
		{"a newline at the end", "AAAAAAAAAAAAAAAAAAAAAA\n", false},
		{"not ASCII",
			"\xc3\xa4"
			"AAAAAAAAAAAAAAAAAAAA",
			false},
		{"a dot", "AAAAAAAAAAA.AAAAAAAAAA", false},
		{"empty", "", false},
	};
	unsigned char bytes[ID_BYTES];
	char again[ID_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		UNIT_CHECK(id_valid(cases[i].id) == cases[i].valid, cases[i].name);
		UNIT_CHECK(id_decode(cases[i].id, bytes) == cases[i].valid, cases[i].name);
		if (!cases[i].valid)
			continue;
		id_encode(bytes, again);
		UNIT_CHECK(strcmp(again, cases[i].id) == 0, cases[i].name);
	}
}

static void test_base64url(void)
{
	unsigned char bytes[64], back[64];
	char text[128];
	size_t len;

	for (len = 0; len <= sizeof(bytes); len++) {
		id_seed(bytes, len);
		base64url_encode(bytes, len, text, 4 * (len + 2) / 3 + 1);
		CU_ASSERT_EQUAL(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					     "0123456789-_"),
			strlen(text));
		CU_ASSERT(base64url_decode(text, back, len));
		CU_ASSERT(memcmp(bytes, back, len) == 0);
		if (len > 0)
			CU_ASSERT(!base64url_decode(text, back, len - 1));
		if (len < sizeof(back))
			CU_ASSERT(!base64url_decode(text, back, len + 1));
	}
	/* RFC 4648 section 10. */
	base64url_encode("foob", 4, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "Zm9vYg");
	base64url_encode("\xfb\xff", 2, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "-_8");
}

/* Both directions are as libsodium has them, but for the bytes above 0x7f that it takes. */
static void test_base64url_is_sodiums(void)
{
	static const char near[] = "AZaz09-_+/= \xff";
	unsigned char bytes[32], by_sodium[32];
	char text[64], again[64];
	size_t len, text_len, i, got;
	int round;
	bool taken;

	for (round = 0; round < 20000; round++) {
		len = id_random_below(sizeof(bytes) + 1);
		id_seed(bytes, len);
		base64url_encode(bytes, len, text, sizeof(text));
		sodium_bin2base64(
			again, sizeof(again), bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		CU_ASSERT_STRING_EQUAL(text, again);
		text_len = strlen(text);
		if (text_len)
			text[id_random_below((uint32_t)text_len)] =
				near[id_random_below(sizeof(near) - 1)];
		taken = sodium_base642bin(by_sodium, len, text, text_len, NULL, &got, NULL,
				sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
			got == len && !strchr(text, '\xff');
		CU_ASSERT_EQUAL(base64url_decode(text, bytes, len), taken);
		for (i = 0; taken && i < len; i++)
			CU_ASSERT_EQUAL(bytes[i], by_sodium[i]);
	}
}

/* The values are what hashlib.blake2b of Python gives for the texts, each behind its length as 8
 * bytes, least significant first. Ids of stored documents are made so: they must never change. */
static void test_derive(void)
{
	unsigned char key[64];
	char id[ID_SIZE], hash[HASH_SIZE];
	size_t i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	id_derive(id, NULL, 0, "a", "bc", NULL);
	CU_ASSERT_STRING_EQUAL(id, "8Uq8GcMw6Ta7nIUG1pusmw");
	id_derive(id, NULL, 0, "ab", "c", NULL);
	CU_ASSERT_STRING_EQUAL(id, "SCbtBDqzzexXbYVB-l1agA");
	id_derive(id, key, 32, "a", "bc", NULL);
	CU_ASSERT_STRING_EQUAL(id, "X9mZn2tM8GcS6NAqiiksuw");
	id_derive(id, NULL, 0, NULL);
	CU_ASSERT_STRING_EQUAL(id, "yuZpQdnvvUBOTYh1jqZ2cA");
	id_derive(id, key, 64, "", NULL);
	CU_ASSERT_STRING_EQUAL(id, "ehimDqAqQK68JDQNFB36OA");
	hash_texts(hash, "a", "bc", NULL);
	CU_ASSERT_STRING_EQUAL(
		hash, "77bbcab7072b897c548327378f11776f4853104c71bdb95a12ded5d2783523bf");
}

static void test_hash(void)
{
	char hex[HASH_SIZE];

	hash_hex("", 0, hex);
	CU_ASSERT_STRING_EQUAL(
		hex, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
	hash_hex("abc", 3, hex);
	CU_ASSERT_STRING_EQUAL(
		hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	hash_sha256_base64("abc", 3, hex); /* FIPS 180-4's own example */
	CU_ASSERT_STRING_EQUAL(hex, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
	hex_encode("\x00\xff\x0a", 3, hex);
	CU_ASSERT_STRING_EQUAL(hex, "00ff0a");
	hex_encode("", 0, hex);
	CU_ASSERT_STRING_EQUAL(hex, "");
}

static const struct unit_case cases[] = {
	{"random ids", test_random},
	{"random numbers below a bound", test_random_below},
	{"what an id looks like", test_valid},
	{"base64url", test_base64url},
	{"base64url is libsodium's", test_base64url_is_sodiums},
	{"derived ids", test_derive},
	{"hashes", test_hash},
};

UNIT_MAIN("id", cases)
