#include "store_taken.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "store_private.h"

/* Rows more that are looked at: of a cancelled meeting, whose request may get another. */
enum { STORE_TAKEN_SPARE = 1000 };

static void store_taken_projection(bson_t *projection)
{
	MODEL_FOREACH_FIELD (&taken_model, field) {
		if (field->type == MODEL_OBJECT)
			BSON_APPEND_INT32(projection, "meeting.status", 1);
		else if (!(field->flags & MODEL_KEY))
			bson_append_int32(projection, field->name, -1, 1);
	}
}

/* Those within a span that are being collected. */
struct store_taking {
	struct store *store;
	struct arena *arena;
	const struct span *span;
	int64_t limit; /* of them */
	struct model_list *list;
};

static bool store_taken_add(void *data, const bson_t *row)
{
	const struct store_taking *taking = data;
	struct err_info unreadable = {0};
	struct taken taken = {0};
	bson_iter_t id, iter;

	if (!bson_iter_init_find(&id, row, "_id") || !BSON_ITER_HOLDS_UTF8(&id))
		return false;
	taken.id = arena_strdup(taking->arena, bson_iter_utf8(&id, NULL));
	bson_iter_init(&iter, row);
	if (store_bson_read(taking->store, taking->arena, &taken_model, &iter, taken.id, &taken,
		    &unreadable) != ERR_OK) {
		log_error("left out of a lawyer's time: %s", unreadable.detail);
		return false;
	}
	if (!overlap_is_taken(&taken) || taken.ends_at <= taking->span->from)
		return false;
	*(struct taken *)model_list_add(taking->arena, taking->list, sizeof(taken)) = taken;
	return true;
}

/* What overlaps a span begins before its end, and no earlier than the longest meeting before it. */
static enum err store_taken_read(const struct store_taking *taking, const char *lawyer_id,
	enum request_status status, bool *whole_r, struct err_info *info)
{
	bson_t *prefix, projection = BSON_INITIALIZER;
	struct store_stretch stretch;
	struct store_session session;
	enum err err;

	err = store_session_begin(taking->store, &session, info);
	if (err != ERR_OK)
		return err;
	prefix = BCON_NEW("lawyer.id", BCON_UTF8(lawyer_id), "status",
		BCON_UTF8(request_status_names[status]));
	store_taken_projection(&projection);
	stretch = (struct store_stretch){
		.prefix = prefix,
		.at = "starts_at",
		.low = taking->span->from - OVERLAP_LONGEST + 1,
		.high = taking->span->to,
		.limit = taking->limit - (int64_t)taking->list->count,
		.most = taking->limit + STORE_TAKEN_SPARE,
	};
	err = store_stretch_read(&session, &stretch, &projection, store_taken_add, (void *)taking,
		"read a lawyer's time", whole_r, info);
	bson_destroy(&projection);
	bson_destroy(prefix);
	return store_session_end(&session, err);
}

enum err store_taken_list(struct store *store, struct arena *arena, const char *lawyer_id,
	const struct span *span, int64_t limit, struct model_list *list_r, struct err_info *info)
{
	const struct store_taking taking = {store, arena, span, limit, list_r};
	bool whole;

	return store_taken_read(&taking, lawyer_id, REQUEST_ACCEPTED, &whole, info);
}

static int store_taken_compare(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;

	if (x->starts_at != y->starts_at)
		return x->starts_at < y->starts_at ? -1 : 1;
	return strcmp(x->id, y->id);
}

enum err store_taken_busy(struct store *store, struct arena *arena, const char *lawyer_id,
	const struct span *span, int64_t limit, struct model_list *list_r, bool *whole_r,
	struct err_info *info)
{
	const struct store_taking taking = {store, arena, span, limit + 1, list_r};
	enum err err;

	err = store_taken_read(&taking, lawyer_id, REQUEST_COMPLETED, whole_r, info);
	if (err == ERR_OK && *whole_r)
		err = store_taken_read(&taking, lawyer_id, REQUEST_ACCEPTED, whole_r, info);
	if (list_r->count)
		qsort(list_r->items, list_r->count, sizeof(struct taken), store_taken_compare);
	return err;
}
