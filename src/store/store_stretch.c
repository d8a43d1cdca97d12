/* Stretches of an index, read in windows. */
#include <stdlib.h>

#include "clock.h"
#include "instant.h"
#include "store_private.h"

/* How far the first window of what is everybody's reaches. A person's rows are asked for at once,
 * until that has been slow; so who has few is never asked for them twice. */
#define STRETCH_FIRST (7 * INSTANT_DAY)

/* How much farther the next ones do; then there is one as far as is enough, and the last goes to
 * the end. */
static const int64_t stretch_steps[] = {7 * INSTANT_DAY, 112 * INSTANT_DAY};

enum {
	STRETCH_STEPS = sizeof(stretch_steps) / sizeof(stretch_steps[0]),
	STRETCH_SLOW_US = 10 * 1000,
};

/* ---- what is remembered: a hash and, beside it, how far a page reached ---- */

enum { REACH_BITS = 40 };

#define REACH_MASK ((UINT64_C(1) << REACH_BITS) - 1)
#define REACH_ZERO (INT64_C(1) << (REACH_BITS - 1))
#define REACH_ALL  INT64_MAX /* to the end of the stretch */

static uint64_t stretch_mix(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;

	for (; len > 0; len--)
		hash = (hash ^ *byte++) * UINT64_C(1099511628211); /* FNV-1a */
	return hash;
}

static bool stretch_is_anchored(const struct store_stretch *stretch)
{
	return stretch->descending ? stretch->high != INT64_MAX : stretch->low != 0;
}

/* By whose rows and in which order, and from where they are read: a bound, or an end. */
static uint64_t stretch_hash(const struct store_stretch *stretch, bool counted)
{
	const unsigned char kind =
		(unsigned char)(stretch->descending | stretch_is_anchored(stretch) << 1 |
				counted << 2);
	uint64_t hash = UINT64_C(14695981039346656037);

	hash = stretch_mix(hash, bson_get_data(stretch->prefix), stretch->prefix->len);
	hash = stretch_mix(hash, stretch->at, strlen(stretch->at));
	return stretch_mix(hash, &kind, 1);
}

/* False when nothing is. */
static bool stretch_recall(struct store *store, uint64_t hash, int64_t *reach_r)
{
	const uint64_t slot =
		atomic_load_explicit(&store->reaches[hash % STORE_REACHES], memory_order_relaxed);

	if (slot == 0 || slot >> REACH_BITS != hash >> REACH_BITS)
		return false;
	*reach_r = (slot & REACH_MASK) == REACH_MASK
			   ? REACH_ALL
			   : ((int64_t)(slot & REACH_MASK) - REACH_ZERO) * INSTANT_SECOND;
	return true;
}

static void stretch_remember(struct store *store, uint64_t hash, int64_t reach)
{
	const uint64_t seconds =
		reach == REACH_ALL ? REACH_MASK : (uint64_t)(reach / INSTANT_SECOND + REACH_ZERO);

	atomic_store_explicit(&store->reaches[hash % STORE_REACHES],
		(hash >> REACH_BITS) << REACH_BITS | (seconds & REACH_MASK), memory_order_relaxed);
}

/* ---- windows ---- */

/* From `near` to `far`, which is on the way to `end`. */
struct stretch_window {
	const struct store_stretch *stretch;
	uint64_t hash;
	bool known; /* something was remembered, or is to be in any case */
	int64_t begun_us;
	int64_t anchor, reach; /* `far` is that far from the anchor */
	int64_t enough;        /* no reach needs to be more, as far as is known */
	int64_t near, far, end;
	int number;
};

static void stretch_begin(struct stretch_window *window, struct store *store,
	const struct store_stretch *stretch, bool counted)
{
	*window = (struct stretch_window){
		.stretch = stretch,
		.hash = stretch_hash(stretch, counted),
		.known = stretch->everybody,
		.begun_us = clock_monotonic_us(),
		.reach = stretch->everybody ? STRETCH_FIRST : REACH_ALL,
		.enough = REACH_ALL,
	};
	window->known |= stretch_recall(store, window->hash, &window->reach);
	window->far = stretch->descending ? stretch->high : stretch->low;
	window->end = stretch->descending ? stretch->low : stretch->high;
	window->anchor = stretch_is_anchored(stretch) ? window->far : stretch->now;
}

static int64_t stretch_far(const struct stretch_window *window)
{
	if (window->reach == REACH_ALL)
		return window->end;
	if (window->stretch->descending)
		return window->anchor - window->reach > window->end ? window->anchor - window->reach
								    : window->end;
	return instant_earlier(window->anchor + window->reach, window->end);
}

/* Of the window behind the one at hand. */
static int64_t stretch_reach(const struct stretch_window *window)
{
	const int step = window->number - 1;

	if (step < 0)
		return window->reach;
	if (step < STRETCH_STEPS)
		return instant_earlier(window->reach + stretch_steps[step], window->enough);
	return step == STRETCH_STEPS ? window->enough : REACH_ALL;
}

/* Behind the one before; false when there is none. */
static bool stretch_next(struct stretch_window *window)
{
	if (window->number && window->far == window->end)
		return false;
	window->reach = stretch_reach(window);
	window->number++;
	window->near = window->far;
	window->far = stretch_far(window);
	return true;
}

static void stretch_end(
	struct stretch_window *window, struct store *store, enum err err, int64_t reach)
{
	if (err == ERR_OK &&
		(window->known || clock_monotonic_us() - window->begun_us > STRETCH_SLOW_US))
		stretch_remember(store, window->hash, reach);
	/* It may have been too much, and is asked for in windows the next time. */
	if (err == ERR_DATABASE_AWAY)
		stretch_remember(store, window->hash, STRETCH_FIRST);
}

static void stretch_filter(const struct stretch_window *window, bson_t *filter)
{
	const struct store_stretch *stretch = window->stretch;
	const int64_t low = stretch->descending ? window->far : window->near;
	const int64_t high = stretch->descending ? window->near : window->far;
	bson_t range;

	bson_concat(filter, stretch->prefix);
	bson_append_document_begin(filter, stretch->at, -1, &range);
	BSON_APPEND_DATE_TIME(&range, "$gte", low);
	if (high != INT64_MAX)
		BSON_APPEND_DATE_TIME(&range, "$lt", high);
	bson_append_document_end(filter, &range);
}

/* ---- reading ---- */

struct stretch_read {
	store_take *take;
	void *data;
	int64_t taken, seen;
	int64_t first, last; /* where the rows were */
	bool dry;            /* the window had no more rows */
};

static int64_t stretch_left(const struct store_stretch *stretch, const struct stretch_read *read)
{
	return stretch->most ? stretch->most - read->seen : stretch->limit - read->seen;
}

static enum err stretch_read_window(struct store_session *session,
	const struct stretch_window *window, const bson_t *projection, struct stretch_read *read,
	const char *doing, struct err_info *info)
{
	const struct store_stretch *stretch = window->stretch;
	const int64_t limit = stretch_left(stretch, read);
	const int direction = stretch->descending ? -1 : 1;
	bson_t filter = BSON_INITIALIZER, *sort;
	struct store_search search = {.collection = "requests",
		.filter = &filter,
		.projection = projection,
		.limit = limit};
	struct store_rows rows;
	const bson_t *row;
	int64_t seen = 0;
	enum err err;

	stretch_filter(window, &filter);
	sort = BCON_NEW(stretch->at, BCON_INT32(direction), "_id", BCON_INT32(direction));
	search.sort = sort;
	err = store_rows_find(session, &search, doing, &rows, info);
	while (read->taken < stretch->limit && (row = store_rows_next(&rows))) {
		seen++;
		if (read->seen + seen == 1)
			read->first = store_instant_of(row, stretch->at);
		read->taken += read->take(read->data, row);
	}
	if (seen)
		read->last = store_instant_of(&rows.row, stretch->at);
	read->seen += seen;
	read->dry = seen < limit && read->taken < stretch->limit;
	store_rows_end(&rows);
	bson_destroy(sort);
	bson_destroy(&filter);
	return err;
}

/* To the last row, and half as far again as it was from the first. */
static int64_t stretch_reached(const struct stretch_window *window, const struct stretch_read *read)
{
	const int64_t way = window->stretch->descending ? window->anchor - read->last
							: read->last - window->anchor;

	return way + llabs(read->last - read->first) / 2 + INSTANT_HOUR;
}

enum err store_stretch_read(struct store_session *session, const struct store_stretch *stretch,
	const bson_t *projection, store_take *take, void *data, const char *doing, bool *whole_r,
	struct err_info *info)
{
	struct stretch_read read = {.take = take, .data = data, .dry = true};
	struct stretch_window window;
	enum err err = ERR_OK;

	stretch_begin(&window, session->store, stretch, false);
	while (err == ERR_OK && read.dry && stretch_next(&window))
		err = stretch_read_window(session, &window, projection, &read, doing, info);
	stretch_end(&window, session->store, err,
		read.dry ? REACH_ALL : stretch_reached(&window, &read));
	*whole_r = read.dry;
	return err;
}

/* Half as far again as there would be as many as are wanted, were all as close together as those
 * that were counted. */
static int64_t stretch_enough(const struct stretch_window *window, int64_t count)
{
	return count > 0 && window->reach != REACH_ALL
		       ? window->reach * window->stretch->limit / count * 3 / 2
		       : REACH_ALL;
}

/* How far to count the next time. A database that reads a range whole does so however few were
 * wanted; so what had enough at once is halved, until it has not. */
static int64_t stretch_counted(const struct stretch_window *window, int64_t count)
{
	if (count < window->stretch->limit)
		return REACH_ALL;
	if (window->reach == REACH_ALL)
		return STRETCH_FIRST;
	return window->number == 1 ? window->reach / 2 : window->reach;
}

enum err store_stretch_count(struct store_session *session, const struct store_stretch *stretch,
	int64_t *count_r, struct err_info *info)
{
	struct stretch_window window;
	enum err err = ERR_OK;
	bson_t filter;
	int64_t rows;

	*count_r = 0;
	stretch_begin(&window, session->store, stretch, true);
	while (err == ERR_OK && *count_r < stretch->limit && stretch_next(&window)) {
		bson_init(&filter);
		stretch_filter(&window, &filter);
		err = store_count(session, &filter, stretch->limit - *count_r, &rows, info);
		*count_r += rows;
		window.enough = stretch_enough(&window, *count_r);
		bson_destroy(&filter);
	}
	stretch_end(&window, session->store, err, stretch_counted(&window, *count_r));
	return err;
}
