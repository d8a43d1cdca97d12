#include "host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

bool host_is_loopback(const char *host)
{
	const size_t len = strlen(host);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	unsigned char v4[4];

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, v4) == 1)
		return v4[0] == 127;
	if (len < 2 || len - 2 >= sizeof(text) || host[0] != '[' || host[len - 1] != ']')
		return false;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
