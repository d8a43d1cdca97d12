#ifndef HTTP_QUEUE_H
#define HTTP_QUEUE_H
/*
 * Requests that are whole and wait for a thread. Of the classes the first goes first, each with no
 * more threads at a time than its bound. Within a class addresses take turns, within an address its
 * tokens, which anybody can make up, and each token's requests keep their order; who has not asked
 * lately goes before those who ask all the time, every other turn. So a crowd waits for itself; and
 * an address that keeps its threads long is given no more than three quarters of those of a class.
 * (The turns are those of RFC 8290, "FQ-CoDel".)
 *
 * A pure structure, without a lock or a clock: its user brings both.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_class {
	HTTP_CLASS_FIRST, /* changes, joins, what providers report: three quarters of the threads */
	HTTP_CLASS_NEXT,  /* reads */
	HTTP_CLASS_LAST,  /* what looks through everything: a quarter of the threads */
	HTTP_CLASS_COUNT,
	/* Never queued, since they need no thread of these: */
	HTTP_CLASS_NONE = HTTP_CLASS_COUNT, /* what waits for nothing */
	HTTP_CLASS_PROBE                    /* what asks how we are */
};

struct http_queue;
struct http_queue_flow;

/* Part of what is queued; the caller's memory. */
struct http_queue_item {
	enum http_class class;
	int64_t ready_us; /* since when it waits */
	struct http_queue_item *next, *older, *newer;
	struct http_queue_flow *flow;
};

/* `most` requests may wait. */
struct http_queue *http_queue_new(size_t threads, size_t most);
void http_queue_free(struct http_queue **queue);

/* `address` and `token` are hashes of who asks; `ready_us` never goes back. False when there is no
 * room: an address has as much as all together leave free, so one alone fills half; a token has as
 * much as would be left for another of its address, so one alone fills a third. */
bool http_queue_push(struct http_queue *queue, struct http_queue_item *item, enum http_class class,
	uint32_t address, uint32_t token, int64_t ready_us);

/* The next to be served, or NULL; http_queue_done() says when its thread is free again. */
struct http_queue_item *http_queue_pop(struct http_queue *queue);
void http_queue_done(struct http_queue *queue, const struct http_queue_item *item);

/* Whether http_queue_pop() would give one. */
bool http_queue_ready(struct http_queue *queue);

/* Takes out the one that has waited longest if that is since `before_us` or longer; else NULL. */
struct http_queue_item *http_queue_overdue(struct http_queue *queue, int64_t before_us);

/* Since when the oldest waits; INT64_MAX when none does. */
int64_t http_queue_oldest_us(const struct http_queue *queue);
#endif
