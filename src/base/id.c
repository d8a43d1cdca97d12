#include "id.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

void base64url_encode(const void *bytes, size_t len, char *text_r, size_t size)
{
	sodium_bin2base64(text_r, size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool base64url_decode(const char *text, void *bytes_r, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_";
	size_t got;

	/* libsodium 1.0.18 takes every byte above 0x7f for an underscore. */
	return !text[strspn(text, alphabet)] &&
	       sodium_base642bin(bytes_r, len, text, strlen(text), NULL, &got, NULL,
		       sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       got == len;
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
