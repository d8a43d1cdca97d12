/* Which addresses a call may connect to that others have named. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "rest_private.h"

struct rest_block {
	unsigned char bytes[16];
	int bits;
};

/* IANA IPv4 Special-Purpose Address Registry, and multicast. */
static const struct rest_block rest_v4_reserved[] = {
	{{0}, 8},             /* this network */
	{{10}, 8},            /* private */
	{{100, 64}, 10},      /* shared by carriers (RFC 6598) */
	{{127}, 8},           /* loopback */
	{{169, 254}, 16},     /* of the link */
	{{172, 16}, 12},      /* private */
	{{192, 0, 0}, 24},    /* protocol assignments */
	{{192, 0, 2}, 24},    /* documentation */
	{{192, 88, 99}, 24},  /* relays to 6to4, given up (RFC 7526) */
	{{192, 168}, 16},     /* private */
	{{198, 18}, 15},      /* benchmarks */
	{{198, 51, 100}, 24}, /* documentation */
	{{203, 0, 113}, 24},  /* documentation */
	{{224}, 3},           /* multicast, reserved, broadcast */
};

/* Global unicast is 2000::/3 (RFC 4291 section 2.4); these parts of it are not. */
static const struct rest_block rest_v6_reserved[] = {
	{{0x20, 0x01}, 23},             /* protocol assignments, Teredo among them */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x20, 0x02}, 16},             /* 6to4 */
	{{0x3f, 0xff}, 20},             /* documentation */
};

static const struct rest_block rest_v6_global = {{0x20}, 3};

/* What holds an IPv4 address in its last four bytes. */
static const struct rest_block rest_v6_wraps[] = {
	{{[10] = 0xff, [11] = 0xff}, 96}, /* IPv4-mapped */
	{{0x00, 0x64, 0xff, 0x9b}, 96},   /* NAT64 (RFC 6052) */
};

static bool rest_block_has(const struct rest_block *block, const unsigned char *address)
{
	const int whole = block->bits / 8, rest = block->bits % 8;

	return memcmp(block->bytes, address, (size_t)whole) == 0 &&
	       (!rest || (block->bytes[whole] ^ address[whole]) >> (8 - rest) == 0);
}

static bool rest_v4_is_public(const unsigned char *address)
{
	size_t i;

	for (i = 0; i < sizeof(rest_v4_reserved) / sizeof(rest_v4_reserved[0]); i++)
		if (rest_block_has(&rest_v4_reserved[i], address))
			return false;
	return true;
}

static bool rest_v6_is_public(const unsigned char *address)
{
	size_t i;

	for (i = 0; i < sizeof(rest_v6_wraps) / sizeof(rest_v6_wraps[0]); i++)
		if (rest_block_has(&rest_v6_wraps[i], address))
			return rest_v4_is_public(address + 12);
	for (i = 0; i < sizeof(rest_v6_reserved) / sizeof(rest_v6_reserved[0]); i++)
		if (rest_block_has(&rest_v6_reserved[i], address))
			return false;
	return rest_block_has(&rest_v6_global, address);
}

bool rest_address_is_public(const struct sockaddr *address)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof(v4));
		return rest_v4_is_public((const unsigned char *)&v4.sin_addr);
	case AF_INET6:
		memcpy(&v6, address, sizeof(v6));
		return rest_v6_is_public(v6.sin6_addr.s6_addr);
	default:
		return false;
	}
}

curl_socket_t rest_guard_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct rest_guard *guard = data;

	(void)purpose;
	guard->met = true;
	if (!rest_address_is_public(&address->addr)) {
		guard->refused = true;
		return CURL_SOCKET_BAD;
	}
	if (guard->probing)
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
