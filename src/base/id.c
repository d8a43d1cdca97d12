#include "id.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

void id_encode(const unsigned char bytes[ID_BYTES], char id_r[ID_SIZE])
{
	sodium_bin2base64(id_r, ID_SIZE, bytes, ID_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool id_decode(const char *id, unsigned char bytes_r[ID_BYTES])
{
	size_t len;

	return sodium_base642bin(bytes_r, ID_BYTES, id, strlen(id), NULL, &len, NULL,
		       sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       len == ID_BYTES;
}

void id_random(char id_r[ID_SIZE])
{
	unsigned char bytes[ID_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	id_encode(bytes, id_r);
}

bool id_valid(const char *id)
{
	unsigned char bytes[ID_BYTES];

	return id_decode(id, bytes);
}

void id_derive(char id_r[ID_SIZE], const void *key, size_t key_len, ...)
{
	crypto_generichash_state state;
	unsigned char bytes[ID_BYTES];
	const char *text;
	uint64_t len;
	va_list args;

	crypto_generichash_init(&state, key_len ? key : NULL, key_len, sizeof(bytes));
	va_start(args, key_len);
	while ((text = va_arg(args, const char *)) != NULL) {
		len = strlen(text);
		crypto_generichash_update(&state, (const unsigned char *)&len, sizeof(len));
		crypto_generichash_update(&state, (const unsigned char *)text, len);
	}
	va_end(args);
	crypto_generichash_final(&state, bytes, sizeof(bytes));
	id_encode(bytes, id_r);
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
