#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ics_zone.h"
#include "mail_address.h"
#include "service_private.h"

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

enum err service_check_provider(const struct service *service, const struct config *config,
	const char *name, const char *pointer, struct err_info *info)
{
	const struct provider *provider = provider_find(name);
	struct err_info unusable = {0};

	if (!provider)
		return err_add_field(info, pointer, "is not a provider of this service");
	if (provider_usable(service->conf, config, provider, &unusable) != ERR_OK)
		return err_add_field(info, pointer, "cannot be used: %s", unusable.detail);
	return ERR_OK;
}

/* The text of a field that has one of the flags, or NULL. */
static const char *service_flagged_text(
	const struct model_field *field, unsigned flags, const void *input)
{
	return field->flags & flags ? *(const char *const *)((const char *)input + field->offset)
				    : NULL;
}

/* The host of an address is kept as lower-case A-labels, so that mail, calendar and envelope name
 * the person alike. */
static void service_check_email(
	struct arena *arena, const char **email, const char *pointer, struct err_info *info)
{
	char ascii[MAIL_EMAIL_SIZE];

	if (mail_email_to_ascii(*email, ascii))
		*email = arena_strdup(arena, ascii);
	else
		err_add_field(info, pointer, "is not one deliverable e-mail address");
}

void service_check_fields(struct arena *arena, const struct model *model, void *input,
	const char *base, struct err_info *info)
{
	const char *zone, *id, *locale;
	char pointer[64];

	MODEL_FOREACH_FIELD (model, field) {
		snprintf(pointer, sizeof(pointer), "%s/%s", base, field->name);
		zone = service_flagged_text(field, MODEL_ZONE, input);
		if (zone && !ics_zone_valid(zone))
			err_add_field(info, pointer, "is not a known IANA time zone");
		if (service_flagged_text(field, MODEL_EMAIL, input))
			service_check_email(arena, (const char **)((char *)input + field->offset),
				pointer, info);
		id = service_flagged_text(field, MODEL_ACTOR, input);
		if (id && !actor_id_valid(id))
			err_add_field(
				info, pointer, "must be printable ASCII characters without spaces");
		locale = service_flagged_text(field, MODEL_LOCALE, input);
		if (locale && !service_locale_valid(locale))
			err_add_field(info, pointer, "is not a language tag like de or en-GB");
	}
}

enum err service_check_named(const struct service *service, const struct config *config,
	const struct model *model, const void *input, struct err_info *info)
{
	const char *name;
	char pointer[64];
	enum err err = ERR_OK;

	MODEL_FOREACH_FIELD (model, field) {
		name = service_flagged_text(field, MODEL_PROVIDER, input);
		snprintf(pointer, sizeof(pointer), "/%s", field->name);
		if (name && err == ERR_OK)
			err = service_check_provider(service, config, name, pointer, info);
	}
	return err;
}

void service_check_draft(struct arena *arena, struct request_draft *draft, struct err_info *info)
{
	char pointer[16];
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		snprintf(pointer, sizeof(pointer), "/%s", party_names[party]);
		service_check_fields(arena, &person_model, draft->person[party], pointer, info);
	}
	service_check_fields(arena, &request_draft_model, draft, "", info);
}
