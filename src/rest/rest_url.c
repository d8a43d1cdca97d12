#include <string.h>
#include <strings.h>

#include "host.h"
#include "rest_private.h"

/* A segment "." or "..", however it is spelled, leads to another resource (RFC 3986 section
 * 6.2.2.3), and rest_escape cannot make it harmless. */
static bool rest_has_dot_segment(const char *path)
{
	size_t dots, len;

	for (; *path; path += strcspn(path, "/")) {
		path++;
		for (dots = 0; (len = strncasecmp(path, "%2e", 3) == 0 ? 3 : *path == '.'); dots++)
			path += len;
		if (dots > 0 && (*path == '/' || *path == '\0'))
			return true;
	}
	return false;
}

bool rest_url_read(struct rest_url *url, const char *text, unsigned allowed)
{
	const unsigned flags = CURLU_DISALLOW_USER | CURLU_PATH_AS_IS;
	const char *rest;

	*url = (struct rest_url){.parsed = curl_url()};
	if (curl_url_set(url->parsed, CURLUPART_URL, text, flags) != CURLUE_OK ||
		curl_url_get(url->parsed, CURLUPART_SCHEME, &url->scheme, 0) != CURLUE_OK ||
		curl_url_get(url->parsed, CURLUPART_HOST, &url->host, 0) != CURLUE_OK ||
		curl_url_get(url->parsed, CURLUPART_PORT, &url->port, CURLU_DEFAULT_PORT) !=
			CURLUE_OK ||
		curl_url_get(url->parsed, CURLUPART_PATH, &url->path, 0) != CURLUE_OK)
		return false;
	/* libcurl forgives one slash too few or too many, and credentials that are empty. */
	rest = text + strlen(url->scheme);
	if (strncmp(rest, "://", 3) != 0 || rest[3] == '/' ||
		memchr(rest + 3, '@', strcspn(rest + 3, "/?#")) || rest_has_dot_segment(url->path))
		return false;
	return strcmp(url->scheme, "https") == 0 ||
	       (strcmp(url->scheme, "http") == 0 &&
		       (allowed & REST_URL_HTTP || host_is_loopback(url->host)));
}

void rest_url_fini(struct rest_url *url)
{
	curl_url_cleanup(url->parsed);
	curl_free(url->scheme);
	curl_free(url->host);
	curl_free(url->port);
	curl_free(url->path);
}

static bool rest_url_spelled(const char *url)
{
	const char *c;

	for (c = url; *c > ' ' && *c <= '~' && !strchr("\"<>\\^`{|}", *c);)
		c++;
	return !*c && c > url && c - url <= REST_MAX_URL;
}

bool rest_url_valid(const char *url, unsigned allowed)
{
	struct rest_url read;
	bool valid;

	if (!url || !rest_url_spelled(url) ||
		(!(allowed & REST_URL_LINK) && (strpbrk(url, "?#") || url[strlen(url) - 1] == '/')))
		return false;
	valid = rest_url_read(&read, url, allowed);
	rest_url_fini(&read);
	return valid;
}

static bool rest_is_entry(const struct rest_url *url, const char *entry, size_t len)
{
	const size_t host = strlen(url->host), port = strlen(url->port);

	if (len < host || strncasecmp(entry, url->host, host) != 0)
		return false;
	return len == host || (len == host + 1 + port && entry[host] == ':' &&
				      memcmp(entry + host + 1, url->port, port) == 0);
}

bool rest_url_listed(const char *text, const char *list)
{
	static const char between[] = " ,\t";
	struct rest_url url;
	bool listed = false;
	size_t len;

	if (rest_url_read(&url, text, REST_URL_HTTP))
		for (list += strspn(list, between); *list && !listed;
			list += len + strspn(list + len, between)) {
			len = strcspn(list, between);
			listed = rest_is_entry(&url, list, len);
		}
	rest_url_fini(&url);
	return listed;
}
