#ifndef SECRET_H
#define SECRET_H
/*
 * The master key ring: secrets at rest and tokens derived from it (libsodium).
 *
 * The key file has one key a line, `<key id>:<64 hex digits>`, the newest first; blank lines and
 * lines that begin with # are skipped. It must not be readable by group or others.
 * New secrets use the first key; what an older key made is still understood.
 */
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "err.h"

struct secret_ring;

enum { SECRET_MAC_BYTES = 16, SECRET_MAX_KEYS = 8 };

enum secret_purpose {
#define SECRET_PURPOSE(name, word) SECRET_##name,
#include "secret_table.h"
#undef SECRET_PURPOSE
	SECRET_PURPOSE_COUNT
};

/* Before anything else, once in a program: ids need it too. False without random numbers. */
bool secret_init(void);

/* ERR_CONFIG with the line at fault. What is derived of the keys, once, lives in guarded memory;
 * they themselves are not kept. */
enum err secret_ring_load(const char *path, struct secret_ring **ring_r, struct err_info *info);
void secret_ring_free(struct secret_ring **ring);

/* `v1:<key id>:<base64url>`: XChaCha20-Poly1305 of the text, bound to `context` (what and whose it
 * is), so that a value copied to another place does not open. */
char *secret_seal(const struct secret_ring *ring, struct arena *arena, const char *context,
	const char *plain);

/* NULL when it was not sealed by a key of the ring for this context. */
char *secret_open(const struct secret_ring *ring, struct arena *arena, const char *context,
	const char *sealed);

/* Whether it says that the newest key sealed it: no older one is needed to open it. */
bool secret_is_newest(const struct secret_ring *ring, const char *sealed);

/* A keyed MAC over bytes, under the subkey of its purpose. */
void secret_mac(const struct secret_ring *ring, enum secret_purpose purpose, const void *bytes,
	size_t len, unsigned char mac_r[SECRET_MAC_BYTES]);

/* The same under the oldest key: stays as it is when a newer key is put in front. */
void secret_mac_oldest(const struct secret_ring *ring, enum secret_purpose purpose,
	const void *bytes, size_t len, unsigned char mac_r[SECRET_MAC_BYTES]);

/* The same under the key of that index, newest first; false when there are no more. */
bool secret_mac_by(const struct secret_ring *ring, size_t index, enum secret_purpose purpose,
	const void *bytes, size_t len, unsigned char mac_r[SECRET_MAC_BYTES]);

/* Whether any key of the ring made this MAC. Constant time. */
bool secret_mac_verify(const struct secret_ring *ring, enum secret_purpose purpose,
	const void *bytes, size_t len, const unsigned char mac[SECRET_MAC_BYTES]);

/* The same of a MAC of which only the first `mac_len` bytes are at hand. */
bool secret_mac_begins(const struct secret_ring *ring, enum secret_purpose purpose,
	const void *bytes, size_t len, const unsigned char *mac, size_t mac_len);

/* HMAC-SHA256 (RFC 2104) as lower-case hex, for what is signed with a secret shared with others. */
enum { SECRET_HMAC_SIZE = 65 };
void secret_hmac_sha256_hex(
	const char *key, const void *bytes, size_t len, char hex_r[SECRET_HMAC_SIZE]);

/* Whether the texts are equal; the time it takes tells their lengths only. */
bool secret_equal(const char *a, const char *b);
#endif
