#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "secret.h"
#include "unit.h"

#define HEX_A "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define HEX_B "b0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX_C "c0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static enum err load(const char *text, struct secret_ring **ring_r, struct err_info *info)
{
	char path[UNIT_PATH_SIZE];
	enum err err;

	unit_file(path, text, strlen(text));
	err = secret_ring_load(path, ring_r, info);
	unlink(path);
	return err;
}

static struct secret_ring *ring_of(const char *text)
{
	struct secret_ring *ring;
	struct err_info info = {0};

	CU_ASSERT_EQUAL_FATAL(load(text, &ring, &info), ERR_OK);
	return ring;
}

static void test_ring_file(void)
{
	static const struct {
		const char *name, *text;
		const char *words; /* at the end of the message; NULL: accepted */
	} rows[] = {
		{"one key", "k1:" HEX_A "\n", NULL},
		{"no newline at the end", "k1:" HEX_A, NULL},
		{"CRLF", "k1:" HEX_A "\r\n", NULL},
		{"comments and blank lines", "# a: b\n\nk1:" HEX_A "\n\n#\n", NULL},
		{"two keys", "k2:" HEX_B "\nk1:" HEX_A "\n", NULL},
		{"longest id", "2027-03-01-key-1:" HEX_A "\n", NULL},
		{"eight keys",
			"1:" HEX_A "\n2:" HEX_A "\n3:" HEX_A "\n4:" HEX_A "\n5:" HEX_A "\n6:" HEX_A
			"\n7:" HEX_A "\n8:" HEX_A "\n",
			NULL},
		{"nine keys",
			"1:" HEX_A "\n2:" HEX_A "\n3:" HEX_A "\n4:" HEX_A "\n5:" HEX_A "\n6:" HEX_A
			"\n7:" HEX_A "\n8:" HEX_A "\n9:" HEX_A "\n",
			" line 9: more than 8 keys."},
		{"empty", "", ": it holds no key."},
		{"only comments", "# a\n\n", ": it holds no key."},
		{"no colon", "# a\n" HEX_A "\n",
			" line 2: a key is written <key id>:<64 hex digits>."},
		{"no id", ":" HEX_A "\n", " line 1: a key is written <key id>:<64 hex digits>."},
		{"id too long", "2027-03-01-key-12:" HEX_A "\n",
			" line 1: a key is written <key id>:<64 hex digits>."},
		{"capital in an id", "K1:" HEX_A "\n",
			" line 1: a key is written <key id>:<64 hex digits>."},
		{"space before an id", " k1:" HEX_A "\n",
			" line 1: a key is written <key id>:<64 hex digits>."},
		{"id twice", "k1:" HEX_B "\nk2:" HEX_A "\nk1:" HEX_A "\n",
			" line 3: the key id k1 is used twice."},
		{"no key", "k1:\n", " line 1: the key is not 64 hex digits."},
		{"63 digits",
			"k1:" HEX_A "\nk2:0112233445566778899aabbccddeeff0"
			"0112233445566778899aabbccddeeff",
			" line 2: the key is not 64 hex digits."},
		{"62 digits", "k1:112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
			" line 1: the key is not 64 hex digits."},
		{"65 digits", "k1:" HEX_A "0\n", " line 1: the key is not 64 hex digits."},
		{"66 digits", "k1:" HEX_A "00\n", " line 1: the key is not 64 hex digits."},
		{"not hex", "k1:g0112233445566778899aabbccddeeff00112233445566778899aabbccddeef\n",
			" line 1: the key is not 64 hex digits."},
		{"space behind", "k1:" HEX_A " \n", " line 1: the key is not 64 hex digits."},
		{"two keys in a line", "k1:" HEX_A ":" HEX_A "\n",
			" line 1: the key is not 64 hex digits."},
	};
	struct err_info info = {0};
	struct secret_ring *ring;
	size_t i, len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		UNIT_CHECK(
			load(rows[i].text, &ring, &info) == (rows[i].words ? ERR_CONFIG : ERR_OK),
			rows[i].name);
		UNIT_CHECK(!ring == !!rows[i].words, rows[i].name);
		secret_ring_free(&ring);
		if (!rows[i].words)
			continue;
		len = strlen(rows[i].words);
		UNIT_CHECK(
			strlen(info.detail) > len &&
				strcmp(info.detail + strlen(info.detail) - len, rows[i].words) == 0,
			info.detail);
		/* A key is never quoted, not even a broken one. */
		UNIT_CHECK(!strstr(info.detail, "112233"), rows[i].name);
	}
	secret_ring_free(&ring);
}

static void test_permissions(void)
{
	static const struct {
		mode_t mode;
		bool accepted;
	} rows[] = {{0600, true}, {0400, true}, {0640, false}, {0604, false}, {0620, false},
		{0601, false}, {0644, false}, {0777, false}};
	struct err_info info = {0};
	struct secret_ring *ring;
	char path[UNIT_PATH_SIZE], expected[UNIT_PATH_SIZE + 64];
	size_t i;

	unit_file(path, "k1:" HEX_A "\n", 3 + 64 + 1);
	snprintf(expected, sizeof(expected), "%s: group or others may read it; chmod 600.", path);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		chmod(path, rows[i].mode);
		CU_ASSERT_EQUAL(secret_ring_load(path, &ring, &info),
			rows[i].accepted ? ERR_OK : ERR_CONFIG);
		if (!rows[i].accepted)
			CU_ASSERT_STRING_EQUAL(info.detail, expected);
		secret_ring_free(&ring);
	}
	unlink(path);
	CU_ASSERT_EQUAL(secret_ring_load(path, &ring, &info), ERR_CONFIG);
	CU_ASSERT_PTR_NULL(ring);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.detail, strerror(ENOENT)));
	CU_ASSERT_EQUAL(secret_ring_load("/tmp", &ring, &info), ERR_CONFIG);
}

static void test_seal(void)
{
	static const char *const texts[] = {"", "a", "https://example.com/room", "\xc3\xa4\n\x01",
		"0123456789012345678901234567890123456789012345678901234567890123456789"};
	struct secret_ring *ring = ring_of("k1:" HEX_A "\n");
	struct arena *arena = arena_new();
	char *sealed, *again;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		sealed = secret_seal(ring, arena, "requests/1/link", texts[i]);
		again = secret_seal(ring, arena, "requests/1/link", texts[i]);
		UNIT_CHECK(strncmp(sealed, "v1:k1:", 6) == 0, texts[i]);
		UNIT_CHECK(!*texts[i] || !strstr(sealed + 6, texts[i]) || strlen(texts[i]) < 4,
			texts[i]);
		/* Equal texts do not look equal at rest. */
		UNIT_CHECK(strcmp(sealed, again) != 0, texts[i]);
		UNIT_CHECK(
			strcmp(secret_open(ring, arena, "requests/1/link", sealed), texts[i]) == 0,
			texts[i]);
		UNIT_CHECK(!secret_open(ring, arena, "requests/2/link", sealed), texts[i]);
		UNIT_CHECK(!secret_open(ring, arena, "requests/1/passcode", sealed), texts[i]);
		UNIT_CHECK(!secret_open(ring, arena, "requests/1/link ", sealed), texts[i]);
		UNIT_CHECK(!secret_open(ring, arena, "", sealed), texts[i]);
	}
	secret_ring_free(&ring);
	CU_ASSERT_PTR_NULL(ring);
	secret_ring_free(&ring);
	arena_free(&arena);
}

/* Two keys whose ids differ in one bit: even that must not help. */
static void test_every_bit(void)
{
	struct secret_ring *ring = ring_of("k1:" HEX_A "\nk0:" HEX_B "\n");
	struct arena *arena = arena_new();
	char *sealed, *changed;
	size_t i, len;
	int bit, opened = 0;

	/* With an underscore: libsodium takes bytes above 0x7f for one. */
	do
		sealed = secret_seal(ring, arena, "c", "thirteen char");
	while (!strchr(sealed, '_'));
	len = strlen(sealed);
	for (i = 0; i < len; i++) {
		for (bit = 0; bit < 8; bit++) {
			changed = arena_strdup(arena, sealed);
			changed[i] = (char)(changed[i] ^ 1 << bit);
			opened += secret_open(ring, arena, "c", changed) != NULL;
		}
		/* Cut anywhere, and with a byte more anywhere. */
		opened += secret_open(ring, arena, "c", arena_strndup(arena, sealed, i)) != NULL;
		opened +=
			secret_open(ring, arena, "c",
				arena_printf(arena, "%.*sA%s", (int)i, sealed, sealed + i)) != NULL;
	}
	opened += secret_open(ring, arena, "c", arena_printf(arena, "%sA", sealed)) != NULL;
	CU_ASSERT_EQUAL(opened, 0);
	CU_ASSERT_STRING_EQUAL(secret_open(ring, arena, "c", sealed), "thirteen char");
	secret_ring_free(&ring);
	arena_free(&arena);
}

static void test_not_sealed(void)
{
	static const char *const texts[] = {"", "v1:", "v1:k1", "v1:k1:", "v1::", "v1:k1:A",
		"v1:k1:AAAA", "v2:k1:AAAA", "v1:k:AAAA", "v1:k11:AAAA", "https://example.com/",
		"v1:k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",   /* 39 bytes */
		"v1:k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 40 bytes: no text
										 */
		"v1:k1:AAAA AAAA", "v1:k1:\xff\xff", "v1:k1:===="};
	struct secret_ring *ring = ring_of("k1:" HEX_A "\n");
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		UNIT_CHECK(!secret_open(ring, arena, "c", texts[i]), texts[i]);
	secret_ring_free(&ring);
	arena_free(&arena);
}

static void test_rotation(void)
{
	struct secret_ring *before = ring_of("k1:" HEX_A "\n");
	struct secret_ring *during = ring_of("k2:" HEX_B "\nk1:" HEX_A "\n");
	struct secret_ring *after = ring_of("k3:" HEX_C "\nk2:" HEX_B "\n");
	struct secret_ring *renamed = ring_of("k2:" HEX_A "\n");
	struct arena *arena = arena_new();
	char *old_text = secret_seal(before, arena, "c", "old");
	char *new_text = secret_seal(during, arena, "c", "new");
	unsigned char old_mac[SECRET_MAC_BYTES], new_mac[SECRET_MAC_BYTES];

	CU_ASSERT(strncmp(new_text, "v1:k2:", 6) == 0);
	CU_ASSERT_STRING_EQUAL(secret_open(during, arena, "c", old_text), "old");
	CU_ASSERT_STRING_EQUAL(secret_open(during, arena, "c", new_text), "new");
	CU_ASSERT_STRING_EQUAL(secret_open(after, arena, "c", new_text), "new");
	CU_ASSERT_PTR_NULL(secret_open(after, arena, "c", old_text));
	CU_ASSERT_PTR_NULL(secret_open(before, arena, "c", new_text));
	CU_ASSERT_PTR_NULL(secret_open(renamed, arena, "c", new_text));
	CU_ASSERT(secret_is_newest(before, old_text));
	CU_ASSERT(!secret_is_newest(during, old_text));
	CU_ASSERT(secret_is_newest(during, new_text));
	CU_ASSERT(!secret_is_newest(after, new_text));
	CU_ASSERT(!secret_is_newest(after, old_text));
	CU_ASSERT(!secret_is_newest(during, "") && !secret_is_newest(during, "v1:k2"));

	secret_mac(before, SECRET_JOIN, "x", 1, old_mac);
	secret_mac(during, SECRET_JOIN, "x", 1, new_mac);
	CU_ASSERT(memcmp(old_mac, new_mac, sizeof(old_mac)) != 0);
	CU_ASSERT(secret_mac_verify(during, SECRET_JOIN, "x", 1, old_mac));
	CU_ASSERT(secret_mac_verify(during, SECRET_JOIN, "x", 1, new_mac));
	CU_ASSERT(secret_mac_verify(after, SECRET_JOIN, "x", 1, new_mac));
	CU_ASSERT(!secret_mac_verify(after, SECRET_JOIN, "x", 1, old_mac));
	CU_ASSERT(!secret_mac_verify(before, SECRET_JOIN, "x", 1, new_mac));
	secret_ring_free(&before);
	secret_ring_free(&during);
	secret_ring_free(&after);
	secret_ring_free(&renamed);
	arena_free(&arena);
}

/* What links, addresses and ids are made with: another subkey would void those that people have. */
static void test_mac_is_derived_from_the_word(void)
{
	static const char words[][9] = {
#define SECRET_PURPOSE(name, word) word,
#include "secret_table.h"
#undef SECRET_PURPOSE
	};
	struct secret_ring *ring = ring_of("k1:" HEX_A "\n");
	unsigned char master[32], subkey[32], mac[SECRET_MAC_BYTES], expected[SECRET_MAC_BYTES];
	enum secret_purpose purpose;

	sodium_hex2bin(master, sizeof(master), HEX_A, strlen(HEX_A), NULL, NULL, NULL);
	for (purpose = 0; purpose < SECRET_PURPOSE_COUNT; purpose++) {
		crypto_kdf_derive_from_key(subkey, sizeof(subkey), 1, words[purpose], master);
		crypto_generichash(expected, sizeof(expected), (const unsigned char *)"abc", 3,
			subkey, sizeof(subkey));
		secret_mac(ring, purpose, "abc", 3, mac);
		UNIT_CHECK(memcmp(mac, expected, sizeof(mac)) == 0, words[purpose]);
	}
	secret_ring_free(&ring);
}

static void test_mac(void)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} rows[] = {
		{"other bytes", "abd", 3},
		{"fewer bytes", "abc", 2},
		{"more bytes", "abc", 4},
		{"no bytes", "", 0},
	};
	struct secret_ring *ring = ring_of("k1:" HEX_A "\n");
	unsigned char mac[SECRET_MAC_BYTES], other[SECRET_MAC_BYTES];
	enum secret_purpose purpose;
	size_t i;

	secret_mac(ring, SECRET_JOIN, "abc", 3, mac);
	for (purpose = 0; purpose < SECRET_PURPOSE_COUNT; purpose++) {
		CU_ASSERT_EQUAL(
			secret_mac_verify(ring, purpose, "abc", 3, mac), purpose == SECRET_JOIN);
		secret_mac(ring, purpose, "abc", 3, other);
		CU_ASSERT_EQUAL(memcmp(mac, other, sizeof(mac)) == 0, purpose == SECRET_JOIN);
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		UNIT_CHECK(!secret_mac_verify(ring, SECRET_JOIN, rows[i].bytes, rows[i].len, mac),
			rows[i].name);
		secret_mac(ring, SECRET_JOIN, rows[i].bytes, rows[i].len, other);
		UNIT_CHECK(memcmp(mac, other, sizeof(mac)) != 0, rows[i].name);
	}
	for (i = 0; i < 8 * sizeof(mac); i++) {
		memcpy(other, mac, sizeof(mac));
		other[i / 8] = (unsigned char)(other[i / 8] ^ 1 << i % 8);
		CU_ASSERT(!secret_mac_verify(ring, SECRET_JOIN, "abc", 3, other));
	}
	secret_ring_free(&ring);
}

/* RFC 4231 sections 4.3, 4.7 and 4.4. */
static void test_hmac(void)
{
	static char long_key[132], short_key[21];
	const struct {
		const char *name, *key, *text, *hex;
	} rows[] = {
		{"a short key", "Jefe", "what do ya want for nothing?",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"a long key", long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"bytes beyond ASCII", short_key,
			"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
			"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
			"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
			"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
			"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd",
			"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
	};
	char hex[SECRET_HMAC_SIZE];
	size_t i;

	memset(long_key, 0xaa, sizeof(long_key) - 1);
	memset(short_key, 0xaa, sizeof(short_key) - 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		secret_hmac_sha256_hex(rows[i].key, rows[i].text, strlen(rows[i].text), hex);
		UNIT_CHECK(strcmp(hex, rows[i].hex) == 0, rows[i].name);
	}
	CU_ASSERT(secret_equal("", "") && secret_equal("abc", "abc"));
	CU_ASSERT(!secret_equal("abc", "abd") && !secret_equal("abc", "ab"));
	CU_ASSERT(!secret_equal("", "a") && !secret_equal("abc", "abcd"));
}

static const struct unit_case cases[] = {
	{"ring files", test_ring_file},
	{"who may read the ring", test_permissions},
	{"sealed for a context", test_seal},
	{"every bit counts", test_every_bit},
	{"what was never sealed", test_not_sealed},
	{"rotation", test_rotation},
	{"what a MAC is made with", test_mac_is_derived_from_the_word},
	{"MACs and their purposes", test_mac},
	{"HMAC-SHA256", test_hmac},
};

UNIT_MAIN("secret", cases)
