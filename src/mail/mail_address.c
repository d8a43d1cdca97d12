#include "mail_address.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

enum { MAIL_LOCAL_MAX = 64, MAIL_LABEL_MAX = 63, MAIL_TEXT_MAX = 998 };

#define MAIL_DIGITS  "0123456789"
#define MAIL_ALNUM   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" MAIL_DIGITS
#define MAIL_ATEXT   MAIL_ALNUM "!#$%&'*+-/=?^_`{|}~" /* RFC 5322 section 3.2.3 */
#define MAIL_SPECIAL "()<>[]:;@\\,\""                 /* of the same, less the dot of "J. Doe" */

/* A Dot-string: atoms with single dots between them. */
static bool mail_local_valid(const char *local, size_t len)
{
	size_t i = 0, atom;

	if (len > MAIL_LOCAL_MAX)
		return false;
	for (;;) {
		atom = strspn(local + i, MAIL_ATEXT);
		if (atom == 0)
			return false;
		i += atom;
		if (i == len)
			return true;
		if (local[i] != '.')
			return false;
		i++;
	}
}

/* Letters, digits and inner hyphens (RFC 1123 section 2.1); a last label of digits only would be
 * an IPv4 address, and "invalid" is never anybody's (RFC 6761 section 6.4): the addresses of erased
 * people end so. Other special names (test, local, ...) may well mean somebody to a relay. */
static bool mail_host_valid(const char *host)
{
	const char *label = host;
	size_t len;

	for (;;) {
		len = strspn(label, MAIL_ALNUM "-");
		if (len == 0 || len > MAIL_LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
			return false;
		if (label[len] == '\0')
			return strspn(label, MAIL_DIGITS) != len && strcmp(label, "invalid") != 0;
		if (label[len] != '.')
			return false;
		label += len + 1;
	}
}

bool mail_email_to_ascii(const char *email, char email_r[MAIL_EMAIL_SIZE])
{
	const char *at = strchr(email, '@');
	char *host = NULL;
	bool valid;
	int len;

	if (!at || strlen(email) > MAIL_TEXT_MAX || !utf8_valid(email, strlen(email), NULL) ||
		!mail_local_valid(email, (size_t)(at - email)))
		return false;
	if (idn2_to_ascii_8z(at + 1, &host, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	len = snprintf(email_r, MAIL_EMAIL_SIZE, "%.*s@%s", (int)(at - email), email, host);
	valid = len < MAIL_EMAIL_SIZE && mail_host_valid(host);
	idn2_free(host);
	return valid;
}

bool mail_email_valid(const char *email)
{
	char ascii[MAIL_EMAIL_SIZE];

	return mail_email_to_ascii(email, ascii);
}

/* Undoes the quotes of `"Doe, Jane"` in place; false when they are not around the whole name. */
static bool mail_name_unquote(char *name)
{
	char *in = name + 1, *out = name;

	while (*in && *in != '"') {
		if (*in == '\\' && in[1])
			in++;
		*out++ = *in++;
	}
	if (*in != '"' || in[1] != '\0')
		return false;
	*out = '\0';
	return true;
}

enum err mail_address_parse(struct arena *arena, const char *text, struct mail_address *address_r,
	struct err_info *info)
{
	char ascii[MAIL_EMAIL_SIZE], *email, *name = NULL;
	size_t len = strlen(text);

	if (len > MAIL_TEXT_MAX || utf8_refusal(text, false))
		return err_set(info, ERR_INVALID,
			"The e-mail address is too long or holds characters that nobody may "
			"write.");
	email = arena_strndup(arena, text, len);
	if (len > 0 && text[len - 1] == '>') {
		name = email;
		name[len - 1] = '\0';
		email = strrchr(name, '<');
		if (!email)
			return err_set(info, ERR_INVALID, "The e-mail address lacks its '<'.");
		*email++ = '\0';
		for (len = strlen(name); len > 0 && name[len - 1] == ' '; len--)
			name[len - 1] = '\0';
		if (name[0] == '"' ? !mail_name_unquote(name) : strpbrk(name, MAIL_SPECIAL) != NULL)
			return err_set(info, ERR_INVALID,
				"A name with special characters must stand in double quotes.");
		if (name[0] == '\0')
			return err_set(info, ERR_INVALID, "The name before '<' is missing.");
	}
	if (!mail_email_to_ascii(email, ascii))
		return err_set(info, ERR_INVALID,
			"An e-mail address is written user@host or Name <user@host>.");
	*address_r = (struct mail_address){.name = name, .email = arena_strdup(arena, ascii)};
	return ERR_OK;
}
