#include "outbox.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "erase.h"
#include "news.h"
#include "request.h"
#include "utf8.h"

const char *const outbox_state_names[] = {
	[OUTBOX_DUE] = "due",
	[OUTBOX_WAITING] = "waiting",
	[OUTBOX_FAILED] = "failed",
	NULL,
};

#define FIELD(type, member, ...)                                                                   \
	MODEL_FIELD(struct outbox_item, member, type, MODEL_SHOWN, __VA_ARGS__)

static const struct model_field item_fields[] = {
	FIELD(MODEL_STRING, id),
	FIELD(MODEL_STRING, request_id),
	FIELD(MODEL_ENUM, kind, .names = effect_kind_names),
	FIELD(MODEL_ENUM, state, .names = outbox_state_names),
	FIELD(MODEL_INSTANT, due),
	FIELD(MODEL_INSTANT, created_at),
	FIELD(MODEL_INSTANT, give_up_at),
	FIELD(MODEL_INT, attempts),
	FIELD(MODEL_STRING, party),
	FIELD(MODEL_STRING, email),
	FIELD(MODEL_STRING, provider),
	FIELD(MODEL_OBJECT, last_error, .of = &failure_model),
};

const struct model outbox_item_model = MODEL(struct outbox_item, "outbox_item", item_fields);

static const struct model_field readdressing_fields[] = {
	MODEL_FIELD(struct outbox_readdressing, email, MODEL_STRING, MODEL_REQUIRED | MODEL_EMAIL,
		.min = 3, .max = 254),
};

const struct model outbox_readdressing_model =
	MODEL(struct outbox_readdressing, "readdressing", readdressing_fields);

/* ---- seen ---- */

static enum outbox_state outbox_state(
	const struct request *request, const struct effect *effect, int64_t now)
{
	if (effect->state == EFFECT_FAILED)
		return OUTBOX_FAILED;
	if (effect_is_running(effect, now))
		return OUTBOX_DUE;
	return effect->due <= now && effect_is_head(request, effect) ? OUTBOX_DUE : OUTBOX_WAITING;
}

struct outbox_item outbox_item(struct arena *arena, const struct request *request,
	const struct effect *effect, int64_t now)
{
	struct outbox_item item = {
		.id = arena_printf(arena, "%s%s", request->id, effect->id),
		.request_id = request->id,
		.kind = effect->kind,
		.state = outbox_state(request, effect, now),
		.due = effect->due,
		.created_at = effect->created_at,
		.give_up_at = effect->give_up_at,
		.attempts = effect->attempts,
		.last_error = effect->last_error,
	};

	if (effect->mail) {
		item.party = party_names[effect->mail->party];
		item.email = request->side[effect->mail->party].person->email;
	}
	if (effect->removal)
		item.provider = effect->removal->provider;
	return item;
}

bool outbox_id_read(const char *id, char request_id_r[ID_SIZE], char effect_id_r[ID_SIZE])
{
	const size_t len = ID_SIZE - 1;

	if (strlen(id) != 2 * len)
		return false;
	snprintf(request_id_r, ID_SIZE, "%s", id);
	snprintf(effect_id_r, ID_SIZE, "%s", id + len);
	return id_valid(request_id_r) && id_valid(effect_id_r);
}

const char *outbox_mark(struct arena *arena, bool failed, const char *kind)
{
	return arena_printf(
		arena, "%s%s%s", failed ? "failed" : "owed", kind ? " " : "", kind ? kind : "");
}

static void outbox_add_mark(struct arena *arena, struct model_list *marks, const char *mark)
{
	MODEL_FOREACH (marks, const char *, known) {
		if (strcmp(*known, mark) == 0)
			return;
	}
	*(const char **)model_list_add(arena, marks, sizeof(mark)) = mark;
}

struct model_list outbox_marks(struct arena *arena, const struct request *request)
{
	struct model_list marks = {0};

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		const bool failed = effect->state == EFFECT_FAILED;

		outbox_add_mark(arena, &marks, outbox_mark(arena, failed, NULL));
		outbox_add_mark(
			arena, &marks, outbox_mark(arena, failed, effect_kind_names[effect->kind]));
	}
	return marks;
}

/* ---- decided ---- */

/* "mail.retried" for a mail, to whom and which; "meeting.retried" for what else there is. */
static void outbox_note(
	struct cause *cause, struct request *request, const struct effect *effect, const char *what)
{
	const char *kind = effect_kind_names[effect->kind];

	audit_add(cause, request,
		arena_printf(cause->arena, "%.*s.%s", (int)strcspn(kind, "."), kind, what), NULL,
		effect->mail ? party_names[effect->mail->party] : NULL,
		effect->mail ? effect_mail_name(effect) : kind);
	request->updated_at = cause->now;
}

static enum err outbox_find(struct request *request, const char *effect_id,
	struct effect **effect_r, struct err_info *info)
{
	*effect_r = effect_find(request, effect_id);
	if (!*effect_r)
		return err_set(info, ERR_NOT_FOUND, "It is not owed, or not any more.");
	if ((*effect_r)->state != EFFECT_FAILED)
		return err_set(info, ERR_NOT_FAILED, "It is not given up: it is tried by itself.");
	return ERR_OK;
}

static enum err outbox_busy(struct err_info *info)
{
	return err_set(info, ERR_EFFECT_RUNNING, "What it would meet is being done just now.");
}

enum err outbox_retry(struct cause *cause, struct request *request, const char *effect_id,
	const void *input, struct err_info *info)
{
	struct effect *effect;
	const enum err err = outbox_find(request, effect_id, &effect, info);
	const struct effect was = err == ERR_OK ? *effect : (struct effect){0};

	(void)input;
	if (err != ERR_OK)
		return err;
	if (!request_retry_effect(cause, request, effect))
		return outbox_busy(info);
	outbox_note(cause, request, &was, "retried");
	return ERR_OK;
}

/* A person says that it is settled: so it is no reason any more to look after it. */
static void outbox_forgive(struct cause *cause, struct request *request, enum effect_kind kind)
{
	if (kind == EFFECT_MEETING_DELETE && !meeting_effect(request, kind))
		meeting_warn(cause, request->meeting, WARNING_ORPHAN, NULL);
	if (kind == EFFECT_MEETING_UPDATE) {
		meeting_warn(cause, request->meeting, WARNING_NOT_UPDATED, NULL);
		meeting_forgive(request->meeting);
	}
}

enum err outbox_discard(struct cause *cause, struct request *request, const char *effect_id,
	const void *input, struct err_info *info)
{
	struct effect *effect;
	const enum err err = outbox_find(request, effect_id, &effect, info);
	enum effect_kind kind;

	(void)input;
	if (err != ERR_OK)
		return err;
	kind = (enum effect_kind)effect->kind;
	outbox_note(cause, request, effect, "discarded");
	if (effect->mail) {
		news_discard(cause, request, effect);
		return ERR_OK;
	}
	effect_drop(request, effect);
	outbox_forgive(cause, request, kind);
	return ERR_OK;
}

enum err outbox_readdress(struct cause *cause, struct request *request, const char *effect_id,
	const void *input, struct err_info *info)
{
	const struct outbox_readdressing *readdressing = input;
	struct effect *effect;
	const enum err err = outbox_find(request, effect_id, &effect, info);
	struct person *person;
	enum party party;

	if (err != ERR_OK)
		return err;
	if (!effect->mail)
		return err_add_field(info, "/email", "is of mails only");
	party = (enum party)effect->mail->party;
	if (erase_is_done(request->side[party].person))
		return err_set(info, ERR_GONE, "That person has been erased.");
	if (utf8_same_but_case(readdressing->email, request->side[!party].person->email))
		return err_add_field(info, "/email", "must not be the other person's address");
	if (news_is_leaving(request, party, cause->now))
		return outbox_busy(info);
	outbox_note(cause, request, effect, "retried");
	person = arena_alloc(cause->arena, sizeof(*person));
	*person = *request->side[party].person;
	person->email = readdressing->email;
	request->side[party].person = person;
	news_readdress(cause, request, party);
	return ERR_OK;
}
