#include "id.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				"0123456789-_";

/* Three bytes are four characters; of a last one or two, two or three (RFC 4648 section 5). What it
 * is used for is known to who sees it, so it need not take the same time for all. */
void base64url_encode(const void *bytes, size_t len, char *text_r, size_t size)
{
	const unsigned char *from = bytes;
	uint32_t three;
	size_t i;

	assert(size > (4 * len + 2) / 3);
	for (; len >= 3; len -= 3, from += 3) {
		three = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
		*text_r++ = base64url[three >> 18];
		*text_r++ = base64url[three >> 12 & 63];
		*text_r++ = base64url[three >> 6 & 63];
		*text_r++ = base64url[three & 63];
	}
	if (len) {
		three = (uint32_t)from[0] << 16 | (uint32_t)(len > 1 ? from[1] : 0) << 8;
		for (i = 0; i < len + 1; i++)
			*text_r++ = base64url[three >> (18 - 6 * i) & 63];
	}
	*text_r = '\0';
}

/* The number that a character stands for, or 64. */
static unsigned base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '-' ? 62 : c == '_' ? 63 : 64;
}

bool base64url_decode(const char *text, void *bytes_r, size_t len)
{
	unsigned char *to = bytes_r, *end = to + len;
	uint32_t bits = 0;
	unsigned value;
	int count = 0; /* of bits at hand */

	for (; *text; text++) {
		value = base64url_value(*text);
		if (value == 64)
			return false;
		bits = bits << 6 | value;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		if (to == end)
			return false;
		*to++ = (unsigned char)(bits >> count);
	}
	/* What is left over is nothing, and less than a character. */
	return to == end && count < 6 && !(bits & ((1u << count) - 1));
}

static const char base32_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void base32_encode(const void *bytes, size_t len, char *text_r)
{
	const unsigned char *from = bytes;
	unsigned pair;
	size_t bit;

	for (bit = 0; bit < 8 * len; bit += 5) {
		pair = (unsigned)from[bit / 8] << 8;
		if (bit / 8 + 1 < len)
			pair |= from[bit / 8 + 1];
		*text_r++ = base32_alphabet[pair >> (11 - bit % 8) & 31];
	}
	*text_r = '\0';
}

bool base32_decode(const char *text, size_t text_len, void *bytes_r, size_t len)
{
	unsigned char *to = bytes_r;
	const char *found;
	unsigned pair;
	size_t i, bit;

	if (text_len != (8 * len + 4) / 5)
		return false;
	memset(to, 0, len);
	for (i = 0; i < text_len; i++) {
		found = text[i] ? strchr(base32_alphabet, text[i] >= 'A' && text[i] <= 'Z'
								  ? text[i] - 'A' + 'a'
								  : text[i])
				: NULL;
		if (!found)
			return false;
		bit = 5 * i;
		pair = (unsigned)(found - base32_alphabet) << (11 - bit % 8);
		to[bit / 8] |= (unsigned char)(pair >> 8);
		if (bit / 8 + 1 < len)
			to[bit / 8 + 1] |= (unsigned char)pair;
		else if (pair & 0xff)
			return false;
	}
	return true;
}

void id_encode(const unsigned char bytes[ID_BYTES], char id_r[ID_SIZE])
{
	base64url_encode(bytes, ID_BYTES, id_r, ID_SIZE);
}

bool id_decode(const char *id, unsigned char bytes_r[ID_BYTES])
{
	return base64url_decode(id, bytes_r, ID_BYTES);
}

void id_random(char id_r[ID_SIZE])
{
	unsigned char bytes[ID_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	id_encode(bytes, id_r);
}

void id_seed(void *bytes_r, size_t len)
{
	randombytes_buf(bytes_r, len);
}

uint32_t id_random_below(uint32_t bound)
{
	return randombytes_uniform(bound);
}

bool id_valid(const char *id)
{
	unsigned char bytes[ID_BYTES];

	return id_decode(id, bytes);
}

static void id_hash_texts(
	unsigned char *hash_r, size_t hash_len, const void *key, size_t key_len, va_list texts)
{
	crypto_generichash_state state;
	const char *text;
	uint64_t len;

	crypto_generichash_init(&state, key_len ? key : NULL, key_len, hash_len);
	while ((text = va_arg(texts, const char *)) != NULL) {
		len = strlen(text);
		crypto_generichash_update(&state, (const unsigned char *)&len, sizeof(len));
		crypto_generichash_update(&state, (const unsigned char *)text, len);
	}
	crypto_generichash_final(&state, hash_r, hash_len);
}

void id_derive(char id_r[ID_SIZE], const void *key, size_t key_len, ...)
{
	unsigned char bytes[ID_BYTES];
	va_list texts;

	va_start(texts, key_len);
	id_hash_texts(bytes, sizeof(bytes), key, key_len, texts);
	va_end(texts);
	id_encode(bytes, id_r);
}

void hash_texts(char hex_r[HASH_SIZE], ...)
{
	unsigned char hash[HASH_BYTES];
	va_list texts;

	va_start(texts, hex_r);
	id_hash_texts(hash, sizeof(hash), NULL, 0, texts);
	va_end(texts);
	hex_encode(hash, sizeof(hash), hex_r);
}

void hash_sha256_base64(const void *bytes, size_t len, char text_r[HASH_SHA256_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, bytes, len);
	sodium_bin2base64(
		text_r, HASH_SHA256_SIZE, hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
}

void hex_encode(const void *bytes, size_t len, char *hex_r)
{
	sodium_bin2hex(hex_r, 2 * len + 1, bytes, len);
}

void hash_hex(const void *bytes, size_t len, char hex_r[HASH_SIZE])
{
	unsigned char hash[HASH_BYTES];

	crypto_generichash(hash, sizeof(hash), bytes, len, NULL, 0);
	hex_encode(hash, sizeof(hash), hex_r);
}
