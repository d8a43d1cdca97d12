#ifndef WALK_SHOWN_H
#define WALK_SHOWN_H
/*
 * What is shown in the random lives of test_request_walk.c, to whoever may ask, at the times that
 * matter: one entity tag never stands for two answers, and an answer is JSON as json-c writes it.
 */
#include <assert.h>
#include <json-c/json.h>

#include "attention.h"
#include "buf.h"
#include "handler_private.h"
#include "json.h"
#include "proposal.h"
#include "walk_promises.h"

enum {
	SHOWN_EVERY = 200, /* lives */
	SHOWN_ROWS = 1 << 16,
};

/* The answer that a tag stood for: its hash. */
static struct shown_row {
	char tag[HASH_SIZE], body[HASH_SIZE];
} shown_rows[SHOWN_ROWS];

static struct {
	size_t answers, tags;
} shown_seen;

/* The row of a tag, empty when there was none yet. */
static struct shown_row *shown_find(const char *tag)
{
	size_t i = 0;
	const char *c;

	for (c = tag; *c; c++)
		i = i * 31 + (unsigned char)*c;
	for (i %= SHOWN_ROWS; *shown_rows[i].tag && strcmp(shown_rows[i].tag, tag) != 0;
		i = (i + 1) % SHOWN_ROWS)
		continue;
	return &shown_rows[i];
}

static bool shown_is_json(struct arena *arena, const char *text)
{
	struct json_object *json;

	return json_parse(arena, text, strlen(text), &json, NULL) == ERR_OK &&
	       strcmp(json_object_to_json_string_ext(
			      json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
		       text) == 0;
}

/* The same caller at the same time sees the same as long as the tag is the same. */
static void shown_check(struct walk *walk, const struct service *service, struct actor caller,
	const struct request *request, int64_t now)
{
	const struct service_call call = {.arena = walk->arena, .now = now, .caller = caller};
	const char *tag = handler_request_tag(service, &call, request);
	struct shown_row *row = shown_find(tag);
	char body[HASH_SIZE];
	struct buf out;

	buf_init(&out, 1024 * 1024);
	handler_write_request(&out, service, &call, request);
	walk_check(walk, shown_is_json(walk->arena, out.bytes), "an answer is JSON");
	/* What a dashboard says beside it. */
	buf_addf(&out, "%u", request_attention(request, caller.role, now));
	hash_hex(out.bytes, out.len, body);
	buf_fini(&out);
	shown_seen.answers++;
	if (*row->tag) {
		walk_check(
			walk, strcmp(row->body, body) == 0, "an entity tag stands for one answer");
		return;
	}
	shown_seen.tags++;
	snprintf(row->tag, sizeof(row->tag), "%s", tag);
	memcpy(row->body, body, sizeof(row->body));
	assert(shown_seen.tags < SHOWN_ROWS);
}

static void walk_check_answers(struct walk *walk)
{
	static char public_url[] = "https://meet.test";
	static const struct actor callers[] = {{.id = "client-1", .role = ROLE_CLIENT},
		{.id = "lawyer-1", .role = ROLE_LAWYER}, {.id = "admin-1", .role = ROLE_ADMIN},
		{.id = "service-1", .role = ROLE_SERVICE}};
	static const char *const titles[] = {"Divorce", "\"},{\"", "a\\", "</script>\x01\x1f\x7f",
		"\r\n\t", "\xf0\x9f\x98\x80\xed\x9f\xbf"};
	static struct secret_ring *ring;
	static char nowhere[] = "";
	const struct conf conf = {.public_url = public_url, .public_request_url = nowhere};
	struct service service = {.conf = &conf, .edition = "edition"};
	struct request request = *walk->request;
	const struct meeting *meeting = request.meeting;
	const int64_t times[] = {walk->now, request.starts_at, request.ends_at,
		meeting ? meeting->opens_at : walk->now, meeting ? meeting->expires_at : walk->now,
		meeting ? meeting->changes_until : walk->now, proposal_until(&request)};
	size_t i;

	if (walk->number % SHOWN_EVERY)
		return;
	if (!ring)
		ring = core_ring(CORE_KEY_1);
	request.title = titles[walk->number / SHOWN_EVERY % (sizeof(titles) / sizeof(titles[0]))];
	service.ring = ring;
	request.failed_at = effect_first_failed(&request);
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		shown_check(walk, &service, callers[walk_random(walk, 4)], &request,
			times[i] - (int64_t)walk_random(walk, 2));
}
#endif
