#include "secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "id.h"
#include "xalloc.h"

enum { SECRET_KEY_BYTES = 32, SECRET_KEY_ID_SIZE = 17 };

#define SECRET_NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SECRET_TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES

/* Sealing and MACs never share a subkey, whatever a purpose is called. */
enum { SECRET_SUBKEY_MAC = 1, SECRET_SUBKEY_SEAL = 2 };

struct secret_key {
	unsigned char seal[SECRET_KEY_BYTES];
	unsigned char mac[SECRET_PURPOSE_COUNT][SECRET_KEY_BYTES];
};

struct secret_ring {
	size_t count;
	char ids[SECRET_MAX_KEYS][SECRET_KEY_ID_SIZE];
	struct secret_key *keys; /* sodium_malloc */
};

static const char secret_words[][crypto_kdf_CONTEXTBYTES] = {
#define SECRET_PURPOSE(name, word) word,
#include "secret_table.h"
#undef SECRET_PURPOSE
};

bool secret_init(void)
{
	return sodium_init() >= 0;
}

static void secret_key_init(struct secret_key *key, const unsigned char master[SECRET_KEY_BYTES])
{
	static const char no_word[crypto_kdf_CONTEXTBYTES];
	size_t i;

	crypto_kdf_derive_from_key(
		key->seal, sizeof(key->seal), SECRET_SUBKEY_SEAL, no_word, master);
	for (i = 0; i < SECRET_PURPOSE_COUNT; i++)
		crypto_kdf_derive_from_key(key->mac[i], sizeof(key->mac[i]), SECRET_SUBKEY_MAC,
			secret_words[i], master);
}

static enum err secret_ring_add(
	struct secret_ring *ring, char *line, const char *path, int number, struct err_info *info)
{
	unsigned char master[SECRET_KEY_BYTES];
	char *colon = strchr(line, ':');
	size_t len, i;
	bool is_key;

	if (ring->count == SECRET_MAX_KEYS)
		return err_set(info, ERR_CONFIG, "%s line %d: more than %d keys.", path, number,
			SECRET_MAX_KEYS);
	if (!colon || colon == line || colon - line >= SECRET_KEY_ID_SIZE ||
		strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-") != (size_t)(colon - line))
		return err_set(info, ERR_CONFIG,
			"%s line %d: a key is written <key id>:<64 hex digits>.", path, number);
	*colon = '\0';
	/* The second of two would never be found again by what it sealed. */
	for (i = 0; i < ring->count; i++)
		if (strcmp(ring->ids[i], line) == 0)
			return err_set(info, ERR_CONFIG, "%s line %d: the key id %s is used twice.",
				path, number, line);
	is_key = sodium_hex2bin(master, sizeof(master), colon + 1, strlen(colon + 1), NULL, &len,
			 NULL) == 0 &&
		 len == sizeof(master);
	if (is_key)
		secret_key_init(&ring->keys[ring->count], master);
	sodium_memzero(master, sizeof(master));
	if (!is_key)
		return err_set(info, ERR_CONFIG, "%s line %d: the key is not 64 hex digits.", path,
			number);
	memcpy(ring->ids[ring->count], line, (size_t)(colon - line));
	ring->count++;
	return ERR_OK;
}

enum err secret_ring_load(const char *path, struct secret_ring **ring_r, struct err_info *info)
{
	struct secret_ring *ring = xcalloc(1, sizeof(*ring));
	enum err err = ERR_OK;
	char line[256];
	struct stat st;
	int number = 0;
	FILE *file;

	*ring_r = NULL;
	ring->keys = sodium_malloc(SECRET_MAX_KEYS * sizeof(*ring->keys));
	file = fopen(path, "re");
	if (!file || !ring->keys || fstat(fileno(file), &st) != 0) {
		err = err_set(info, ERR_CONFIG, "%s: %s.", path, strerror(errno));
		goto out;
	}
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		err = err_set(
			info, ERR_CONFIG, "%s: group or others may read it; chmod 600.", path);
		goto out;
	}
	while (err == ERR_OK && fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] && line[0] != '#')
			err = secret_ring_add(ring, line, path, number, info);
	}
	if (err == ERR_OK && ring->count == 0)
		err = err_set(info, ERR_CONFIG, "%s: it holds no key.", path);
out:
	sodium_memzero(line, sizeof(line));
	if (file)
		fclose(file);
	if (err != ERR_OK)
		secret_ring_free(&ring);
	*ring_r = ring;
	return err;
}

void secret_ring_free(struct secret_ring **ring)
{
	if (!*ring)
		return;
	sodium_free((*ring)->keys);
	sodium_memzero(*ring, sizeof(**ring));
	free(*ring);
	*ring = NULL;
}

char *secret_seal(
	const struct secret_ring *ring, struct arena *arena, const char *context, const char *plain)
{
	const size_t len = strlen(plain);
	const size_t size = SECRET_NONCE_BYTES + len + SECRET_TAG_BYTES;
	const size_t text_size = 4 * (size + 2) / 3 + 1;
	unsigned char *bytes = arena_alloc(arena, size);
	char *text = arena_alloc(arena, text_size);

	randombytes_buf(bytes, SECRET_NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + SECRET_NONCE_BYTES, NULL,
		(const unsigned char *)plain, len, (const unsigned char *)context, strlen(context),
		NULL, bytes, ring->keys[0].seal);
	base64url_encode(bytes, size, text, text_size);
	return arena_printf(arena, "v1:%s:%s", ring->ids[0], text);
}

/* The index of the key named in `v1:<key id>:…`; *text_r is what follows. */
static bool secret_find_key(
	const struct secret_ring *ring, const char *sealed, size_t *index_r, const char **text_r)
{
	size_t i, len;

	if (strncmp(sealed, "v1:", 3) != 0)
		return false;
	for (i = 0; i < ring->count; i++) {
		len = strlen(ring->ids[i]);
		if (strncmp(sealed + 3, ring->ids[i], len) == 0 && sealed[3 + len] == ':') {
			*index_r = i;
			*text_r = sealed + 3 + len + 1;
			return true;
		}
	}
	return false;
}

bool secret_is_newest(const struct secret_ring *ring, const char *sealed)
{
	const char *text;
	size_t index;

	return secret_find_key(ring, sealed, &index, &text) && index == 0;
}

char *secret_open(const struct secret_ring *ring, struct arena *arena, const char *context,
	const char *sealed)
{
	unsigned char *bytes;
	const char *text;
	size_t index, len;
	char *plain;
	int failed;

	if (!secret_find_key(ring, sealed, &index, &text))
		return NULL;
	len = strlen(text) * 3 / 4;
	if (len < SECRET_NONCE_BYTES + SECRET_TAG_BYTES)
		return NULL;
	bytes = arena_alloc(arena, len);
	if (!base64url_decode(text, bytes, len))
		return NULL;
	len -= SECRET_NONCE_BYTES;
	plain = arena_alloc(arena, len - SECRET_TAG_BYTES + 1);
	failed = crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)plain, NULL, NULL,
		bytes + SECRET_NONCE_BYTES, len, (const unsigned char *)context, strlen(context),
		bytes, ring->keys[index].seal);
	return failed ? NULL : plain;
}

static void secret_mac_with(const struct secret_ring *ring, size_t index,
	enum secret_purpose purpose, const void *bytes, size_t len,
	unsigned char mac_r[SECRET_MAC_BYTES])
{
	crypto_generichash(mac_r, SECRET_MAC_BYTES, bytes, len, ring->keys[index].mac[purpose],
		SECRET_KEY_BYTES);
}

void secret_mac(const struct secret_ring *ring, enum secret_purpose purpose, const void *bytes,
	size_t len, unsigned char mac_r[SECRET_MAC_BYTES])
{
	secret_mac_with(ring, 0, purpose, bytes, len, mac_r);
}

void secret_mac_oldest(const struct secret_ring *ring, enum secret_purpose purpose,
	const void *bytes, size_t len, unsigned char mac_r[SECRET_MAC_BYTES])
{
	secret_mac_with(ring, ring->count - 1, purpose, bytes, len, mac_r);
}

bool secret_mac_by(const struct secret_ring *ring, size_t index, enum secret_purpose purpose,
	const void *bytes, size_t len, unsigned char mac_r[SECRET_MAC_BYTES])
{
	if (index >= ring->count)
		return false;
	secret_mac_with(ring, index, purpose, bytes, len, mac_r);
	return true;
}

bool secret_mac_verify(const struct secret_ring *ring, enum secret_purpose purpose,
	const void *bytes, size_t len, const unsigned char mac[SECRET_MAC_BYTES])
{
	return secret_mac_begins(ring, purpose, bytes, len, mac, SECRET_MAC_BYTES);
}

bool secret_mac_begins(const struct secret_ring *ring, enum secret_purpose purpose,
	const void *bytes, size_t len, const unsigned char *mac, size_t mac_len)
{
	unsigned char expected[SECRET_MAC_BYTES];
	bool found = false;
	size_t i;

	for (i = 0; i < ring->count; i++) {
		secret_mac_with(ring, i, purpose, bytes, len, expected);
		if (sodium_memcmp(expected, mac, mac_len) == 0)
			found = true;
	}
	return found;
}

void secret_hmac_sha256_hex(
	const char *key, const void *bytes, size_t len, char hex_r[SECRET_HMAC_SIZE])
{
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, strlen(key));
	crypto_auth_hmacsha256_update(&state, bytes, len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(&state, sizeof(state));
	hex_encode(mac, sizeof(mac), hex_r);
}

bool secret_equal(const char *a, const char *b)
{
	const size_t len = strlen(a);

	return len == strlen(b) && sodium_memcmp(a, b, len) == 0;
}
