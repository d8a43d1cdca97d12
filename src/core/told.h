#ifndef TOLD_H
#define TOLD_H
/*
 * What a mail about a meeting, with its calendar part, shows to one of the two people. It is kept
 * of what was told, as one digest for each fact ("when=… link=…"), and compared with what is so
 * now: whatever differs is news to that person. A new fact is a new row.
 */
#include "actor.h"
#include "arena.h"

struct request;

enum told_fact {
	TOLD_WHEN,
	TOLD_ZONE,
	TOLD_TITLE,
	TOLD_DESCRIPTION,
	TOLD_MESSAGE,
	TOLD_PEOPLE,
	TOLD_PROVIDER,
	TOLD_LINK,
	TOLD_OPENS,
	TOLD_PASSCODE,
	TOLD_DIAL_IN,
	TOLD_FACTS
};

/* All that the person would be told of the request's meeting now. */
const char *told_now(struct arena *arena, const struct request *request, enum party party);

/* A set of 1u << TOLD_…: the facts of `told` that are other ones now. What it does not have, as
 * that of the version before has none (NULL), differs in nothing. */
unsigned told_changes(const char *told, const char *now);

/* What was told without what people wrote, and their names: those may be erased, which is no news.
 */
const char *told_without_people(struct arena *arena, const char *told);

/* The zone in which the person reads times: the request's where they named none. */
const char *told_zone(const struct request *request, enum party party);
#endif
