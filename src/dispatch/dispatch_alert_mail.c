/* provider_alert, queue_alert, credentials_alert: what an incident says. */
#include <json-c/json.h>
#include <string.h>

#include "dispatch_private.h"
#include "incident.h"
#include "provider.h"

static const char *const alert_names[] = {"recipient.email", "product_name", "locale", "title",
	"zone", "target", "since", "until", "over", "well", "unknown", "credentials", "away",
	"overdue", "is_mail", "mail_overdue", "work_overdue", NULL};

static const struct {
	const char *kind;
	const char *names[2]; /* and what it alone is given */
} alert_kinds[] = {
	{"provider_alert", {"detail"}},
	{"queue_alert", {"detail"}},
	{"credentials_alert", {"last_day"}},
};

enum err dispatch_alert_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	enum err err = ERR_OK;
	size_t i;

	for (i = 0; i < sizeof(alert_kinds) / sizeof(alert_kinds[0]) && err == ERR_OK; i++)
		err = dispatch_mail_check_kind(templates, alert_kinds[i].kind,
			(const char *const *[]){alert_names, alert_kinds[i].names, NULL}, info);
	return err;
}

static const char *alert_time(struct arena *arena, int64_t instant)
{
	char text[INSTANT_TEXT_SIZE];

	instant_format(instant, false, text);
	/* "2027-03-01T14:00:00Z" */
	return arena_printf(arena, "%.10s %.5s UTC", text, text + 11);
}

static void alert_add(struct json_object *values, const char *name, const char *text)
{
	json_object_object_add(values, name, json_object_new_string(text));
}

/* That it is about, or NULL. */
static const struct provider *alert_provider(const struct incident *incident)
{
	const char *name = incident->id;

	if (incident->kind == INCIDENT_EXPIRING)
		name += strlen(INCIDENT_EXPIRY_OF);
	return provider_find(name);
}

static struct json_object *alert_values(const struct dispatch *dispatch, struct arena *arena,
	const struct incident *incident, const struct incident_mail *mail, const char *locale)
{
	const struct provider *provider = alert_provider(incident);
	const bool is_mail = strcmp(incident->id, effect_class_names[CLASS_MAIL]) == 0;
	struct json_object *values = json_object_new_object(), *recipient;
	const struct {
		const char *name;
		bool set;
	} flags[] = {
		{"over", mail->over},
		{"well", mail->over && incident->well_at},
		{"unknown", mail->over && !incident->well_at},
		{"credentials", !mail->over && incident->kind == INCIDENT_CREDENTIALS},
		{"away", !mail->over && incident->kind == INCIDENT_AWAY},
		{"overdue", !mail->over && incident->kind == INCIDENT_OVERDUE},
		{"is_mail", is_mail},
		{"mail_overdue", !mail->over && is_mail && incident->kind == INCIDENT_OVERDUE},
		{"work_overdue", !mail->over && !is_mail && incident->kind == INCIDENT_OVERDUE},
	};
	size_t i;

	arena_defer(arena, (void (*)(void *))(void (*)(void))json_object_put, values);
	recipient = json_object_new_object();
	alert_add(recipient, "email", mail->address);
	json_object_object_add(values, "recipient", recipient);
	alert_add(values, "product_name", dispatch->mail_from.name);
	alert_add(values, "title", dispatch->mail_from.name);
	alert_add(values, "locale", locale);
	alert_add(values, "zone", "UTC");
	alert_add(values, "target", provider ? provider->title : incident->id);
	alert_add(values, "since", alert_time(arena, incident->since));
	alert_add(values, "until", alert_time(arena, incident->seen_at));
	if (incident->detail && !mail->over)
		alert_add(values, incident->kind == INCIDENT_EXPIRING ? "last_day" : "detail",
			incident->detail);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		json_object_object_add(
			values, flags[i].name, json_object_new_boolean(flags[i].set));
	return values;
}

enum err dispatch_alert_compose(const struct dispatch *dispatch, struct arena *arena,
	const struct incident *incident, const struct incident_mail *mail, const char *locale,
	struct mail_message *message_r, struct buf *out, struct err_info *info)
{
	const char *kind = incident->kind == INCIDENT_EXPIRING ? "credentials_alert"
			   : alert_provider(incident)          ? "provider_alert"
							       : "queue_alert";
	struct json_object *values;
	char hash[HASH_SIZE];
	enum err err;

	hash_hex(mail->address, strlen(mail->address), hash);
	locale = dispatch_mail_locale(dispatch->templates, arena, locale, kind);
	*message_r = (struct mail_message){
		.message_id = arena_printf(arena, "alert.%s.%lld.%s.%.16s%s", incident->id,
			(long long)(incident->since / INSTANT_SECOND),
			mail->over ? "over" : "begun", hash,
			strchr(dispatch->mail_from.email, '@')),
		.date = mail->owed_at,
		.from = dispatch->mail_from,
		.to = {.email = mail->address},
	};
	values = alert_values(dispatch, arena, incident, mail, locale);
	err = dispatch_mail_render_all(dispatch, arena, locale, kind, values, message_r, info);
	return err == ERR_OK ? mail_compose(message_r, out, info) : err;
}
