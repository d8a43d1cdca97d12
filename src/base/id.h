#ifndef ID_H
#define ID_H
/*
 * Identifiers and hashes (libsodium). An id is 128 bits as 22 characters of [A-Za-z0-9_-]
 * (base64url without padding): opaque, not sequential, not guessable when random or keyed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ID_BYTES = 16, ID_SIZE = 23, HASH_BYTES = 32, HASH_SIZE = 65 };

void id_random(char id_r[ID_SIZE]);
void id_seed(void *bytes_r, size_t len);  /* random bytes */
uint32_t id_random_below(uint32_t bound); /* uniform in [0, bound) */
bool id_valid(const char *id);

/* The id made of 16 given bytes, and back; false when `id` is not of the form. */
void id_encode(const unsigned char bytes[ID_BYTES], char id_r[ID_SIZE]);
bool id_decode(const char *id, unsigned char bytes_r[ID_BYTES]);

/* base64url without padding, exactly `len` bytes; text_r holds at least 4 * (len + 2) / 3 + 1. */
void base64url_encode(const void *bytes, size_t len, char *text_r, size_t size);
bool base64url_decode(const char *text, void *bytes_r, size_t len);

/* Base32 (RFC 4648 section 6) without padding, in lower case: for places that do not keep the case
 * of letters. `len` bytes are (8 * len + 4) / 5 characters. */
void base32_encode(const void *bytes, size_t len, char *text_r);
/* Of exactly that many characters, in either case; false when it is not of the form. */
bool base32_decode(const char *text, size_t text_len, void *bytes_r, size_t len);

/* A pure function of its inputs: BLAKE2b-128 of the texts (each with its length, so that
 * ("a","bc") and ("ab","c") differ), keyed with `key` (key_len 0 to 64). The list ends with NULL.
 */
void id_derive(char id_r[ID_SIZE], const void *key, size_t key_len, ...) __attribute__((sentinel));

/* BLAKE2b-256 of the texts, each with its length, as lower-case hex. The list ends with NULL. */
void hash_texts(char hex_r[HASH_SIZE], ...) __attribute__((sentinel));

/* BLAKE2b-256 as lower-case hex. */
void hash_hex(const void *bytes, size_t len, char hex_r[HASH_SIZE]);

/* SHA-256 in base64, as Content-Security-Policy names what it allows (CSP Level 3, "hash-source").
 */
enum { HASH_SHA256_SIZE = 45 };
void hash_sha256_base64(const void *bytes, size_t len, char text_r[HASH_SHA256_SIZE]);

/* Lower-case hex of any bytes; hex_r has room for 2 * len + 1. */
void hex_encode(const void *bytes, size_t len, char *hex_r);
#endif
