#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ics_zone.h"
#include "mail_address.h"
#include "service_private.h"

static const char service_id_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/* A language tag (RFC 5646) as far as we look at it: subtags of letters and digits. */
static bool service_locale_valid(const char *locale)
{
	size_t len;

	for (len = 0; isalpha((unsigned char)locale[len]); len++)
		;
	if (len < 2 || len > 3)
		return false;
	for (locale += len; *locale == '-'; locale += len) {
		locale++;
		for (len = 0; isalnum((unsigned char)locale[len]); len++)
			;
		if (len < 2 || len > 8)
			return false;
	}
	return *locale == '\0';
}

void service_check_zone(const char *timezone, const char *pointer, struct err_info *info)
{
	if (timezone && !ics_zone_valid(timezone))
		err_add_field(info, pointer, "is not a known IANA time zone");
}

/* The host of an address is kept as lower-case A-labels, so that mail, calendar and envelope name
 * the person alike. */
static void service_check_person(
	struct arena *arena, struct person *person, const char *who, struct err_info *info)
{
	char pointer[64], email[MAIL_EMAIL_SIZE];

	snprintf(pointer, sizeof(pointer), "/%s/id", who);
	if (strspn(person->id, service_id_alphabet) != strlen(person->id))
		err_add_field(info, pointer, "may hold letters, digits, - and _ only");
	snprintf(pointer, sizeof(pointer), "/%s/email", who);
	if (mail_email_to_ascii(person->email, email))
		person->email = arena_strdup(arena, email);
	else
		err_add_field(info, pointer, "is not one deliverable e-mail address");
	snprintf(pointer, sizeof(pointer), "/%s/timezone", who);
	service_check_zone(person->timezone, pointer, info);
	snprintf(pointer, sizeof(pointer), "/%s/locale", who);
	if (person->locale && !service_locale_valid(person->locale))
		err_add_field(info, pointer, "is not a language tag like de or en-GB");
}

void service_check_draft(
	struct arena *arena, const struct request_draft *draft, struct err_info *info)
{
	service_check_person(arena, draft->client, "client", info);
	service_check_person(arena, draft->lawyer, "lawyer", info);
	service_check_zone(draft->timezone, "/timezone", info);
}
