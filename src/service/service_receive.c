#include "service_receive.h"

#include <string.h>

#include "erase.h"
#include "fault.h"
#include "ics_reply.h"
#include "id.h"
#include "instant.h"
#include "mail_letter.h"
#include "mail_strike.h"
#include "reply.h"
#include "service_private.h"
#include "store_letter.h"

/* Longer than it is tried to deliver one (core/effect_table.h). */
#define RECEIVE_LETTER_KEPT (7 * INSTANT_DAY)

/* A message under way. */
struct receive_work {
	const struct service *service;
	const struct service_call *call;
	const struct service_mail *mail;
	struct mail_read read;
	struct reply_pass pass;
	struct request *request;
	struct reply reply;
	bool changed;
};

/* ---- to whom ---- */

/* Whether an address of ours is among the words of a text. */
static bool receive_find_address(struct receive_work *work, const char *text)
{
	static const char between[] = " \t\r\n,;:<>()\"'";
	const char *at = text;
	size_t len;

	for (; *at; at += len + strspn(at + len, between)) {
		len = strcspn(at, between);
		if (len && reply_address_read(work->service->ring,
				   work->service->conf->mail_reply_address,
				   arena_strndup(work->call->arena, at, len), &work->pass))
			return true;
	}
	return false;
}

/* The envelope's word is final; where it is not known, mail servers may have left it in a field. */
static enum err receive_find_recipient(struct receive_work *work, struct err_info *info)
{
	static const char *const fields[] = {
		"X-Original-To", "Delivered-To", "Envelope-To", "To", "Cc"};
	const char *value;
	size_t i;

	if (work->mail->recipient) {
		if (receive_find_address(work, work->mail->recipient))
			return ERR_OK;
		return err_set(info, ERR_NOT_FOUND, "There is no such address.");
	}
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		value = mail_read_field(&work->read, fields[i]);
		if (value && receive_find_address(work, value))
			return ERR_OK;
	}
	return err_set(info, ERR_NOT_FOUND, "There is no such address.");
}

static enum err receive_load(struct receive_work *work, struct err_info *info)
{
	enum err err = store_request_load(work->service->store, work->call->arena,
		work->pass.request_id, STORE_WHOLE, &work->request, info);

	if (err == ERR_OK && erase_is_done(work->request->side[work->pass.party].person))
		err = ERR_NOT_FOUND;
	return err == ERR_NOT_FOUND ? err_set(info, err, "There is no such address.") : err;
}

/* ---- what it says ---- */

/* The same message is known by its id; one without an id by what it is. */
static const char *receive_digest(const struct receive_work *work)
{
	const char *id = mail_read_field(&work->read, "Message-ID");
	char whole[HASH_SIZE], *digest = arena_alloc(work->call->arena, HASH_SIZE);

	hash_hex(work->mail->bytes, work->mail->len, whole);
	hash_texts(digest, work->pass.request_id, party_names[work->pass.party],
		id && id[0] ? id : whole, NULL);
	return digest;
}

static int receive_attendance(const char *partstat)
{
	static const struct {
		const char *partstat;
		int state;
	} rows[] = {
		{"ACCEPTED", ATTENDANCE_ACCEPTED},
		{"TENTATIVE", ATTENDANCE_TENTATIVE},
		{"DECLINED", ATTENDANCE_DECLINED},
	};
	size_t i;

	for (i = 0; partstat && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].partstat, partstat) == 0)
			return rows[i].state;
	return -1;
}

/* Words that quote the invitation hold its reader's own link, which is nobody else's. */
static const char *receive_words(const struct receive_work *work, const char *words)
{
	return words && !strstr(words, work->service->conf->public_url) ? words : NULL;
}

static bool receive_read_answer(struct receive_work *work)
{
	const struct person *person = work->request->side[work->pass.party].person;
	struct ics_reply answer;

	if (!work->read.calendar ||
		!ics_reply_read(work->call->arena, work->read.calendar, person->email, &answer))
		return false;
	work->reply.kind = REPLY_ANSWER;
	work->reply.uid = answer.uid;
	work->reply.sequence = answer.sequence;
	work->reply.stamped_at = answer.stamped_at;
	work->reply.part = answer.part;
	work->reply.attendee = answer.attendee;
	work->reply.attendance = receive_attendance(answer.partstat);
	work->reply.proposed_at = answer.starts_at;
	work->reply.proposed_until = answer.ends_at;
	work->reply.words = receive_words(work, answer.words);
	return true;
}

/* What a message is to us, in our words; NULL: nothing, and why is in *did_r. */
static bool receive_understand(struct receive_work *work, const char **did_r)
{
	struct reply *reply = &work->reply;

	*reply = (struct reply){.party = work->pass.party, .digest = receive_digest(work)};
	*did_r = "dropped: it has been here before";
	if (mail_read_field(&work->read, MAIL_HOP_HEADER) || reply_is_known(work->request, reply))
		return false;
	if (work->read.status) {
		reply->kind = REPLY_BOUNCE;
		reply->status = mail_read_failure(work->call->arena, &work->read);
		*did_r = reply->status ? "an address that mail does not reach"
				       : "dropped: a report of no failure";
		return reply->status != NULL;
	}
	*did_r = "an answer";
	if (receive_read_answer(work))
		return true;
	reply->kind = REPLY_LETTER;
	*did_r = "dropped: a program wrote it";
	if (mail_read_is_automatic(&work->read))
		return false;
	*did_r = "a letter";
	return true;
}

/* ---- a letter ---- */

static struct mail_address receive_sender(const struct receive_work *work)
{
	const struct mail_address *from = &work->mail->from;

	return (struct mail_address){
		.name = arena_printf(work->call->arena, "%s (%s)",
			work->request->side[work->pass.party].person->name, from->name),
		.email = from->email,
	};
}

/* The letter as it is to leave: answers to it come back here, and go on to its writer. */
static enum err receive_compose(
	const struct receive_work *work, const char *id, struct buf *out, struct err_info *info)
{
	const struct service *service = work->service;
	struct arena *arena = work->call->arena;
	const enum party other = (enum party) !work->pass.party;
	const struct person *person = work->request->side[other].person;
	const char *subject = mail_read_text(arena, &work->read, "Subject");
	const struct mail_message head = {
		.message_id = mail_letter_message_id(arena, id, work->mail->from.email),
		.trace_id = work->call->trace_id,
		.date = work->call->now,
		.from = receive_sender(work),
		.to = {.name = person->name, .email = person->email},
		.reply_to = {.email = reply_address(arena, service->ring,
				     service->conf->mail_reply_address, work->request->id, other)},
		.subject = subject[0] ? subject : work->request->title,
	};

	return mail_letter_compose(&head, &work->read, out, info);
}

/* Stored before the request owes it: whoever dies in between leaves one that the next try finds. */
static enum err receive_store_letter(struct receive_work *work, struct err_info *info)
{
	struct arena *arena = work->call->arena;
	struct letter letter = {
		.request_id = work->request->id,
		.expire_at = work->call->now + RECEIVE_LETTER_KEPT,
	};
	char *id = arena_alloc(arena, ID_SIZE);
	struct buf out;
	enum err err;

	err = reply_check(work->request, &work->reply, work->call->now, info);
	if (err != ERR_OK)
		return err;
	id_derive(id, NULL, 0, "letter", work->reply.digest, NULL);
	mail_strike_links(arena, work->service->ring, &work->read);
	buf_init(&out, MAIL_LETTER_MAX);
	err = receive_compose(work, id, &out, info);
	letter.id = work->reply.letter = id;
	letter.message = out.bytes;
	if (err == ERR_OK)
		err = store_letter_insert(work->service->store, arena, &letter, info);
	buf_fini(&out);
	if (err == ERR_OK)
		fault_pass(FAULT_LETTER_AFTER_SAVE);
	return err;
}

/* ---- and what it does ---- */

static enum err receive_decide(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	struct receive_work *work = data;
	const enum party party = work->pass.party;
	struct cause cause;
	enum err err;

	service_cause_init(work->call, arena, SOURCE_CLI, NULL, &cause);
	cause.actor =
		(struct actor){.id = request->side[party].person->id, .role = party_roles[party]};
	err = reply_apply(&cause, request, &work->reply, changed_r, info);
	work->changed = *changed_r;
	return err;
}

enum err service_receive(const struct service *service, const struct service_call *call,
	const struct service_mail *mail, const char **did_r, struct err_info *info)
{
	struct receive_work work = {.service = service, .call = call, .mail = mail};
	struct store_change change;
	enum err err;

	err = mail_read(call->arena, mail->bytes, mail->len, &work.read, info);
	if (err == ERR_OK)
		err = receive_find_recipient(&work, info);
	if (err == ERR_OK)
		err = receive_load(&work, info);
	if (err != ERR_OK || !receive_understand(&work, did_r))
		return err;
	if (work.reply.kind == REPLY_LETTER)
		err = receive_store_letter(&work, info);
	if (err != ERR_OK)
		return err;
	change = service_change(service, work.pass.request_id);
	change.loaded = work.request;
	change.rule = receive_decide;
	change.data = &work;
	err = store_request_change(&change, call->arena, NULL, info);
	if (err == ERR_OK && !work.changed)
		*did_r = "dropped: it changes nothing";
	return err;
}
