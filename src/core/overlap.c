#include "overlap.h"

#include <string.h>

/* When the second look is taken in any case; most often the mails that are owed, too, have the
 * request in hand before. */
#define OVERLAP_SOON (5 * INSTANT_SECOND)

static const struct model_field taken_meeting_fields[] = {
	MODEL_FIELD(struct taken_meeting, status, MODEL_ENUM, MODEL_STORED | MODEL_REQUIRED,
		.names = meeting_status_names),
};

static const struct model taken_meeting_model =
	MODEL(struct taken_meeting, "meeting", taken_meeting_fields);

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct taken, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field taken_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_KEY),
	FIELD(MODEL_STRING, title, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, starts_at, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, ends_at, MODEL_REQUIRED),
	FIELD(MODEL_OBJECT, meeting, MODEL_REQUIRED, .of = &taken_meeting_model),
	FIELD(MODEL_STRINGS, overlaps, MODEL_SPARSE),
	FIELD(MODEL_STRINGS, overlaps_allowed, MODEL_SPARSE),
};

const struct model taken_model = MODEL(struct taken, "request", taken_fields);

static bool overlap_is_ahead(int meeting_status)
{
	return meeting_status == MEETING_PENDING || meeting_status == MEETING_READY ||
	       meeting_status == MEETING_FAILED;
}

struct span overlap_span(const struct request *request)
{
	const bool takes =
		request->status == REQUEST_ACCEPTED && overlap_is_ahead(request->meeting->status);

	return takes ? (struct span){request->starts_at, request->ends_at} : (struct span){0, 0};
}

bool overlap_is_taken(const struct taken *taken)
{
	return overlap_is_ahead(taken->meeting->status) ||
	       taken->meeting->status == MEETING_EXPIRED;
}

static bool overlap_is_empty(const struct span *span)
{
	return span->from == span->to;
}

bool overlap_takes_more(const struct span *before, const struct request *request)
{
	const struct span span = overlap_span(request);

	return !overlap_is_empty(&span) && (span.from < before->from || before->to < span.to);
}

bool overlap_lists(const struct model_list *ids, const char *id)
{
	MODEL_FOREACH (ids, const char *, other) {
		if (strcmp(*other, id) == 0)
			return true;
	}
	return false;
}

static void overlap_list(struct arena *arena, struct model_list *ids, const char *id)
{
	if (!overlap_lists(ids, id))
		*(const char **)model_list_add(arena, ids, sizeof(id)) = id;
}

static bool overlap_meets(
	const struct request *request, const struct span *span, const struct taken *other)
{
	return strcmp(other->id, request->id) != 0 && overlap_is_ahead(other->meeting->status) &&
	       other->starts_at < span->to && span->from < other->ends_at;
}

static enum err overlap_refuse(const struct taken *other, struct err_info *info)
{
	char from[INSTANT_TEXT_SIZE], to[INSTANT_TEXT_SIZE];

	instant_format(other->starts_at, false, from);
	instant_format(other->ends_at, false, to);
	return err_set(info, ERR_OVERLAPS,
		"The lawyer has accepted request %s for %s to %s: %s. "
		"Choose another time, or say \"allow_overlap\": true.",
		other->id, from, to, other->title);
}

enum err overlap_check(struct cause *cause, struct request *request, const struct span *before,
	const struct model_list *others, bool allow, struct err_info *info)
{
	const struct span span = overlap_span(request);

	if (span.from == before->from && span.to == before->to)
		return ERR_OK;
	if (overlap_takes_more(before, request)) {
		request->overlaps_allowed = (struct model_list){0};
		MODEL_FOREACH (others, struct taken, other) {
			if (!overlap_meets(request, &span, other))
				continue;
			if (!allow)
				return overlap_refuse(other, info);
			overlap_list(cause->arena, &request->overlaps_allowed, other->id);
		}
	}
	if (overlap_takes_more(before, request) || request->overlaps.count)
		overlap_owe(cause, request, NULL, cause->now + OVERLAP_SOON);
	return ERR_OK;
}

void overlap_owe(struct cause *cause, struct request *request, const char *by, int64_t due)
{
	struct effect *look = meeting_effect(request, EFFECT_MEETING_OVERLAPS);

	if (by)
		overlap_list(cause->arena, &request->overlaps, by);
	if (look)
		look->due = instant_earlier(look->due, due);
	else
		effect_owe(cause, request, EFFECT_MEETING_OVERLAPS)->due = due;
}

struct model_list overlap_find(
	struct arena *arena, const struct request *request, const struct model_list *others)
{
	const struct span span = overlap_span(request);
	struct model_list found = {0};

	MODEL_FOREACH (others, struct taken, other) {
		if (overlap_meets(request, &span, other) &&
			!overlap_lists(&request->overlaps_allowed, other->id) &&
			!overlap_lists(&other->overlaps_allowed, request->id))
			*(struct taken *)model_list_add(arena, &found, sizeof(*other)) = *other;
	}
	return found;
}

/* For the lawyer: the title of one is nothing that the other's client may read. */
static const char *overlap_words(struct arena *arena, const struct model_list *found)
{
	const struct taken *first = found->items;
	const char *words;

	if (!found->count)
		return NULL;
	/* Without its title: that would outlive the erasure of who wrote it. */
	words = arena_printf(arena, "It takes the same time as request %s", first->id);
	return found->count == 1
		       ? words
		       : arena_printf(arena, "%s (and %zu more)", words, found->count - 1);
}

void overlap_note(struct cause *cause, struct request *request, const struct model_list *found)
{
	const struct effect *look = meeting_effect(request, EFFECT_MEETING_OVERLAPS);

	if (look)
		effect_drop(request, look);
	request->overlaps = (struct model_list){0};
	MODEL_FOREACH (found, struct taken, other) {
		overlap_list(cause->arena, &request->overlaps, other->id);
	}
	meeting_warn(cause, request->meeting, WARNING_OVERLAPS, overlap_words(cause->arena, found));
}
