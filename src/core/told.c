#include "told.h"

#include <stdio.h>
#include <string.h>

#include "id.h"
#include "request.h"

enum { TOLD_DIGEST = 16 }; /* hex digits of each fact */

static const char *told_text(const char *text)
{
	return text ? text : "";
}

static const char *told_when(struct arena *arena, const struct request *request, enum party party)
{
	(void)party;
	return arena_printf(arena, "%lld %lld", (long long)request->meeting->starts_at,
		(long long)request->meeting->ends_at);
}

const char *told_zone(const struct request *request, enum party party)
{
	const struct person *person = request->side[party].person;

	return person->timezone ? person->timezone : request->timezone;
}

static const char *told_zone_text(
	struct arena *arena, const struct request *request, enum party party)
{
	(void)arena;
	return told_zone(request, party);
}

static const char *told_title(struct arena *arena, const struct request *request, enum party party)
{
	(void)arena;
	(void)party;
	return request->title;
}

static const char *told_description(
	struct arena *arena, const struct request *request, enum party party)
{
	(void)arena;
	(void)party;
	return told_text(request->description);
}

static const char *told_message(
	struct arena *arena, const struct request *request, enum party party)
{
	(void)arena;
	(void)party;
	return told_text(request->message);
}

static const char *told_people(struct arena *arena, const struct request *request, enum party party)
{
	const struct person *client = request->side[PARTY_CLIENT].person;
	const struct person *lawyer = request->side[PARTY_LAWYER].person;

	(void)party;
	return arena_printf(arena, "%s <%s>\n%s <%s>", client->name, client->email, lawyer->name,
		lawyer->email);
}

static const char *told_provider(
	struct arena *arena, const struct request *request, enum party party)
{
	(void)arena;
	(void)party;
	return request->meeting->provider;
}

/* As the person sees it: the provider's own, or the one that the gate derives from this. */
static const char *told_link(struct arena *arena, const struct request *request, enum party party)
{
	const struct meeting *meeting = request->meeting;

	(void)party;
	return meeting->direct_url ? meeting->direct_url
				   : arena_printf(arena, "%lld", (long long)meeting->generation);
}

static const char *told_opens(struct arena *arena, const struct request *request, enum party party)
{
	const struct meeting *meeting = request->meeting;

	(void)party;
	return arena_printf(arena, "%lld", (long long)(meeting->starts_at - meeting->opens_at));
}

static const char *told_passcode(
	struct arena *arena, const struct request *request, enum party party)
{
	(void)arena;
	(void)party;
	return told_text(request->meeting->passcode);
}

static const char *told_dial_in(
	struct arena *arena, const struct request *request, enum party party)
{
	const char *text = "";

	(void)party;
	MODEL_FOREACH (&request->meeting->dial_in, const char *, number) {
		text = arena_printf(arena, "%s%s\n", text, *number);
	}
	return text;
}

#define FACT(fact, name, ...) [TOLD_##fact] = {name, __VA_ARGS__}

static const struct {
	const char *name;
	const char *(*text)(struct arena *arena, const struct request *request, enum party party);
	bool of_people;
} told_table[TOLD_FACTS] = {
	FACT(WHEN, "when", told_when),
	FACT(ZONE, "zone", told_zone_text),
	FACT(TITLE, "title", told_title, true),
	FACT(DESCRIPTION, "description", told_description, true),
	FACT(MESSAGE, "message", told_message, true),
	FACT(PEOPLE, "people", told_people, true),
	FACT(PROVIDER, "provider", told_provider),
	FACT(LINK, "link", told_link),
	FACT(OPENS, "opens", told_opens),
	FACT(PASSCODE, "passcode", told_passcode),
	FACT(DIAL_IN, "dial_in", told_dial_in),
};

const char *told_now(struct arena *arena, const struct request *request, enum party party)
{
	const char *told = "";
	char hash[HASH_SIZE];
	size_t i;

	for (i = 0; i < TOLD_FACTS; i++) {
		hash_texts(hash, request->id, told_table[i].name,
			told_table[i].text(arena, request, party), NULL);
		told = arena_printf(
			arena, "%s%s=%.*s ", told, told_table[i].name, TOLD_DIGEST, hash);
	}
	return told;
}

/* Where the digest of a fact begins, or NULL. */
static const char *told_find(const char *told, const char *name)
{
	const size_t len = strlen(name);
	const char *at = told;

	while (at && *at) {
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return at + len + 1;
		at = strchr(at, ' ');
		at += at != NULL;
	}
	return NULL;
}

unsigned told_changes(const char *told, const char *now)
{
	const char *was, *is;
	unsigned changes = 0;
	size_t i;

	for (i = 0; told && i < TOLD_FACTS; i++) {
		was = told_find(told, told_table[i].name);
		is = told_find(now, told_table[i].name);
		if (was && is && strncmp(was, is, TOLD_DIGEST) != 0)
			changes |= 1u << i;
	}
	return changes;
}

const char *told_without_people(struct arena *arena, const char *told)
{
	const char *kept = "", *digest;
	size_t i;

	for (i = 0; told && i < TOLD_FACTS; i++) {
		digest = told_find(told, told_table[i].name);
		if (digest && !told_table[i].of_people)
			kept = arena_printf(
				arena, "%s%s=%.*s ", kept, told_table[i].name, TOLD_DIGEST, digest);
	}
	return told ? kept : NULL;
}
