#define _GNU_SOURCE /* memmem */
#include "config.h"
#include "core_unit.h"
#include "proposal.h"
#include "outbox.h"
#include "store_private.h"

#define STORE_OTHER_ID "EBESExQVFhcYGRobHB0eHw"

struct store_unit {
	struct arena *arena;
	struct secret_ring *ring;
	struct store store;
};

static void store_unit_init(struct store_unit *unit, const char *keys)
{
	unit->arena = arena_new();
	unit->ring = core_ring(keys);
	unit->store = (struct store){.ring = unit->ring};
}

static void store_unit_fini(struct store_unit *unit)
{
	secret_ring_free(&unit->ring);
	arena_free(&unit->arena);
}

static void store_release(void *bson)
{
	bson_destroy(bson);
}

static bson_t *store_write(struct store_unit *unit, const struct request *request)
{
	bson_t *bson = bson_new();

	arena_defer(unit->arena, store_release, bson);
	store_bson_write(&unit->store, unit->arena, &request_model, request, request->id, bson);
	return bson;
}

static bson_t *store_from_json(struct store_unit *unit, const char *json)
{
	bson_error_t error;
	bson_t *bson = bson_new_from_json((const uint8_t *)json, -1, &error);

	if (!bson)
		printf("%s: %s\n", json, error.message);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bson);
	arena_defer(unit->arena, store_release, bson);
	return bson;
}

/* The text of a sealed field of the meeting, as stored. */
static const char *store_meeting_text(const bson_t *bson, const char *name)
{
	bson_iter_t iter, meeting;

	bson_iter_init_find(&iter, bson, "meeting");
	bson_iter_recurse(&iter, &meeting);
	CU_ASSERT_TRUE_FATAL(bson_iter_find(&meeting, name));
	return bson_iter_utf8(&meeting, NULL);
}

static void store_add_text(struct arena *arena, struct model_list *list, const char *text)
{
	*(const char **)model_list_add(arena, list, sizeof(const char *)) = text;
}

static void store_fill_meeting(struct arena *arena, struct meeting *meeting)
{
	struct warning *warning;
	int i;

	meeting->changes_until = CORE_NOW;
	store_add_text(arena, &meeting->dial_in, "+49 30 1234");
	store_add_text(arena, &meeting->dial_in, "");
	for (i = 0; i < 2; i++) {
		warning = model_list_add(arena, &meeting->warnings, sizeof(*warning));
		*warning = (struct warning){"setting_not_granted", i ? NULL : "detail"};
	}
	meeting->direct_url = meeting->provider_url;
	meeting->last_error = arena_alloc(arena, sizeof(struct failure));
	*meeting->last_error = (struct failure){"temporary", "words", "jitsi", CORE_NOW};
	meeting->next_attempt_at = CORE_NOW + 1;
	meeting->change_reason = "moved";
	meeting->ended_reason = "";
	meeting->outcome = "held";
	meeting->ended_at = CORE_END;
	meeting->external_mark = "mark";
	meeting->held_from = CORE_START;
	meeting->held_until = CORE_END;
	*(struct meeting_report *)model_list_add(
		arena, &meeting->reports, sizeof(struct meeting_report)) =
		(struct meeting_report){"digest", CORE_START, true};
	*(int64_t *)model_list_add(arena, &meeting->reported, sizeof(int64_t)) = 3;
	meeting->sequence = INT64_MAX;
	*meeting->attendance = (struct attendance){
		{ATTENDANCE_DECLINED, ATTENDANCE_TENTATIVE}, {CORE_START, CORE_END}};
	for (i = 0; i < LINK_USES; i++) {
		meeting->uses[i] = arena_alloc(arena, sizeof(struct link_uses));
		*meeting->uses[i] = (struct link_uses){i + 1, CORE_START};
	}
}

static struct announcement *store_full_announcement(struct arena *arena)
{
	struct announcement *announcement = arena_alloc(arena, sizeof(*announcement));
	struct announced *announced =
		model_list_add(arena, &announcement->events, sizeof(*announced));

	*announced = (struct announced){"event-1", "meeting.ready", CORE_NOW, 7, {0}};
	store_add_text(arena, &announced->to, "subscriber-1");
	announcement->view = "{\"id\":1}";
	announcement->previous = "{}";
	return announcement;
}

static void store_fill_effect(struct arena *arena, struct effect *effect)
{
	effect->lease = "the lease";
	effect->last_error = arena_alloc(arena, sizeof(struct failure));
	*effect->last_error = (struct failure){"temporary", "words", "zoom", CORE_NOW};
	effect->give_up_at = CORE_END;
	effect->creation = arena_alloc(arena, sizeof(struct creation));
	*effect->creation = (struct creation){.begun = true,
		.repeated = true,
		.tries = 1,
		.recoverable = true,
		.wait_s = 60,
		.why = "words"};
	store_add_text(arena, &effect->creation->tried, "google");
	*(struct removal *)model_list_add(
		arena, &effect->creation->maybe_made, sizeof(struct removal)) =
		(struct removal){"teams", "key", "ext-2", "host@meet.test"};
	effect->mail = arena_alloc(arena, sizeof(struct mail));
	*effect->mail = (struct mail){PARTY_LAWYER, CORE_START, CORE_END, "Asia/Tokyo", "zoom",
		"link=1 ", "declined", CORE_START, CORE_END, "I am ill.", CORE_ID, {0}};
	effect->removal = arena_alloc(arena, sizeof(struct removal));
	*effect->removal = (struct removal){"zoom", "key", "ext-1", "host@meet.test"};
	effect->announcement = store_full_announcement(arena);
}

static void store_fill_person(struct arena *arena, struct side *side)
{
	struct person *person = arena_alloc(arena, sizeof(*person));

	*person = *side->person;
	person->undeliverable = CORE_NOW;
	side->person = person;
}

static struct person_news *store_full_news(struct arena *arena)
{
	struct person_news *news = arena_alloc(arena, sizeof(*news));

	*news = (struct person_news){true, true, "1.0", CORE_START, CORE_END, 1, 2, "Asia/Tokyo",
		"zoom", "link=1 ", {0}, {0}, CORE_START};
	*(int64_t *)model_list_add(arena, &news->offsets, sizeof(int64_t)) = 3600;
	*(int64_t *)model_list_add(arena, &news->offsets, sizeof(int64_t)) = 7200;
	*(int64_t *)model_list_add(arena, &news->mailed, sizeof(int64_t)) = CORE_NOW;
	return news;
}

/* A request with something in every field. */
static struct request *store_full_request(struct arena *arena)
{
	struct request *request = core_at_zoom(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);

	core_settle_mail(arena, request,
		core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT), CORE_NOW,
		ERR_TEMPORARY, "451 \xc3\xa4 \xf0\x9f\x98\x80");
	core_claim(request, CORE_NOW, "the lease", INSTANT_MINUTE);
	store_fill_meeting(arena, request->meeting);
	*(struct meeting *)model_list_add(arena, &request->meetings, sizeof(struct meeting)) =
		*request->meeting;
	store_fill_effect(arena, MODEL_AT(&request->effects, struct effect, 0));
	request->asked = arena_alloc(arena, sizeof(*request->asked));
	*request->asked = (struct asked){CORE_START, 30, "Asia/Tokyo"};
	request->side[PARTY_CLIENT].news = store_full_news(arena);
	request->side[PARTY_LAWYER].news = store_full_news(arena);
	request_answer_keep(&cause, request,
		&(struct request_answer){
			"key-1", "body-1", 201, "{\"secret\":1}", "\"tag\"", cause.now + 1});
	request_answer_keep(&cause, request,
		&(struct request_answer){"key-2", "body-2", 200, "", NULL, cause.now + 2});
	*(int64_t *)model_list_add(arena, &request->changes, sizeof(int64_t)) = CORE_NOW;
	*(const char **)model_list_add(arena, &request->overlaps, sizeof(char *)) = "overlaps";
	*(const char **)model_list_add(arena, &request->overlaps_allowed, sizeof(char *)) = "may";
	*(struct reply_note *)model_list_add(arena, &request->replies, sizeof(struct reply_note)) =
		(struct reply_note){"digest", CORE_NOW, PARTY_LAWYER};
	store_fill_person(arena, &request->side[PARTY_CLIENT]);
	store_fill_person(arena, &request->side[PARTY_LAWYER]);
	request->archived = arena_alloc(arena, sizeof(*request->archived));
	*request->archived = (struct audit_head){100, CORE_NOW, "hash"};
	request->before = *request->archived;
	audit_seal(arena, &request->before, &request->events, true, &request->audit_seal);
	request->rev = INT64_C(1) << 40;
	request->due = request->failed_at = CORE_NOW;
	request->owed = effect_owed(arena, request);
	request->owes = outbox_marks(arena, request);
	request->shelf = "upcoming";
	request->over_at = request->lawyer_until = request->admin_until = CORE_END;
	request->client_until = request->proposed_until = CORE_END;
	request->proposal = arena_alloc(arena, sizeof(*request->proposal));
	*request->proposal = (struct proposal){
		.status = PROPOSAL_DECLINED,
		.starts_at = CORE_END,
		.duration_minutes = 60,
		.message = "I am in court.",
		.answer = "I am away.",
		.created_at = CORE_NOW,
		.answered_at = CORE_NOW,
	};
	request->fingerprint = "fingerprint";
	return request;
}

static void store_check_round_trip(struct store_unit *unit, struct request *request)
{
	struct err_info info = {0};
	struct request *read;
	const bson_t *bson;

	request->rev = 1; /* what was never stored has none */
	bson = store_write(unit, request);
	CU_ASSERT_TRUE(bson_validate(bson,
		BSON_VALIDATE_UTF8 | BSON_VALIDATE_DOT_KEYS | BSON_VALIDATE_EMPTY_KEYS, NULL));
	CU_ASSERT_EQUAL_FATAL(
		store_request_read(&unit->store, unit->arena, bson, STORE_WHOLE, &read, &info),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(core_saved(unit->arena, read), core_saved(unit->arena, request));
	CU_ASSERT_EQUAL(audit_verify(NULL, &read->events, read->id), -1);
}

static void test_store_bson_round_trip(void)
{
	struct store_unit unit;
	int state;

	store_unit_init(&unit, CORE_KEY_1);
	for (state = 0; state < CORE_STATES; state++)
		store_check_round_trip(&unit, core_in_state(unit.arena, state));
	store_check_round_trip(&unit, store_full_request(unit.arena));
	store_unit_fini(&unit);
}

static bool store_is_filled(const struct model_field *field, const void *at)
{
	switch (field->type) {
	case MODEL_STRING:
	case MODEL_OBJECT:
		return *(const void *const *)at != NULL;
	case MODEL_INSTANT:
		return *(const int64_t *)at != 0;
	case MODEL_LIST:
	case MODEL_STRINGS:
		return ((const struct model_list *)at)->count > 0;
	default:
		return true;
	}
}

/* A field that is empty in every item is one whose way this test does not check. */
static void store_check_filled(const struct model *model, const struct model_list *items)
{
	const struct model_field *field;
	const char *at = NULL;
	size_t i;

	for (field = model->fields; field < model->fields + model->field_count; field++) {
		if (!(field->flags & MODEL_STORED))
			continue;
		for (i = 0; i < items->count; i++) {
			at = (const char *)items->items + i * model->size + field->offset;
			if (store_is_filled(field, at))
				break;
		}
		UNIT_CHECK(i < items->count, field->name);
		if (i == items->count)
			printf("%s.%s is empty\n", model->name, field->name);
		else if (field->type == MODEL_OBJECT)
			store_check_filled(field->of,
				&(struct model_list){.items = *(void *const *)at, .count = 1});
		else if (field->type == MODEL_LIST)
			store_check_filled(field->of, (const struct model_list *)at);
	}
}

static void test_store_bson_full_request_is_full(void)
{
	struct arena *arena = arena_new();
	struct request *request = store_full_request(arena);
	struct person client = core_client, lawyer = core_lawyer;

	client.timezone = "UTC";
	lawyer.locale = "en";
	client.undeliverable = lawyer.undeliverable = CORE_NOW;
	request->side[PARTY_CLIENT].person = &client;
	request->side[PARTY_LAWYER].person = &lawyer;
	store_check_filled(&request_model, &(struct model_list){.items = request, .count = 1});
	arena_free(&arena);
}

static void test_store_bson_nulls_and_absences(void)
{
	static const struct {
		const char *name;
		bool present;
		bson_type_t type;
	} cases[] = {
		{"_id", true, BSON_TYPE_UTF8},
		{"id", false, 0},
		{"rev", true, BSON_TYPE_INT64},
		{"status", true, BSON_TYPE_UTF8},
		{"description", true, BSON_TYPE_NULL},
		{"client", true, BSON_TYPE_DOCUMENT},
		{"starts_at", true, BSON_TYPE_DATE_TIME},
		{"message", true, BSON_TYPE_NULL},
		{"decision", false, 0},
		{"meeting", true, BSON_TYPE_NULL},
		{"events", true, BSON_TYPE_ARRAY},
		{"effects", true, BSON_TYPE_ARRAY},
		{"answers", true, BSON_TYPE_ARRAY},
		{"due", false, 0},
	};
	struct store_unit unit;
	struct request *request;
	const bson_t *bson;
	bson_iter_t iter;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	request = core_open(unit.arena);
	request->description = NULL;
	bson = store_write(&unit, request);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const bool present = bson_iter_init_find(&iter, bson, cases[i].name);

		if (present != cases[i].present ||
			(present && bson_iter_type(&iter) != cases[i].type))
			printf("%s\n", cases[i].name);
		CU_ASSERT_EQUAL(present, cases[i].present);
		if (present)
			CU_ASSERT_EQUAL(bson_iter_type(&iter), cases[i].type);
	}
	store_unit_fini(&unit);
}

/* ---- sealed fields ---- */

static void test_store_bson_sealed_fields_are_unreadable(void)
{
	static const char *const secrets[] = {"https://meet.test/room", "4711", "{\"secret\":1}"};
	struct store_unit unit;
	const struct request *request;
	const bson_t *bson;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	request = store_full_request(unit.arena);
	bson = store_write(&unit, request);
	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		CU_ASSERT_PTR_NULL(
			memmem(bson_get_data(bson), bson->len, secrets[i], strlen(secrets[i])));
	CU_ASSERT_PTR_NULL(memmem(bson_get_data(bson), bson->len, request->meeting->provider_key,
		strlen(request->meeting->provider_key)));
	/* The same text twice does not look the same. */
	CU_ASSERT_STRING_NOT_EQUAL(store_meeting_text(bson, "passcode"),
		store_meeting_text(store_write(&unit, request), "passcode"));
	store_unit_fini(&unit);
}

static enum err store_read_json(struct store_unit *unit, const char *json,
	struct request **request_r, struct err_info *info)
{
	return store_request_read(&unit->store, unit->arena, store_from_json(unit, json),
		STORE_WHOLE, request_r, info);
}

static void test_store_bson_sealed_values_stay_where_they_are(void)
{
	static const struct {
		const char *name, *id, *field, *source;
		bool opens;
	} cases[] = {
		{"where it was", CORE_ID, "passcode", "passcode", true},
		{"in another document", STORE_OTHER_ID, "passcode", "passcode", false},
		{"in another field", CORE_ID, "provider_url", "passcode", false},
		{"the other way round", CORE_ID, "passcode", "provider_url", false},
	};
	struct store_unit unit;
	const bson_t *bson;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	bson = store_write(&unit, store_full_request(unit.arena));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info info = {0};
		struct request *request;

		CU_ASSERT_EQUAL(
			store_read_json(&unit,
				arena_printf(unit.arena,
					"{\"_id\":\"%s\",\"meeting\":{\"%s\":\"%s\"}}", cases[i].id,
					cases[i].field, store_meeting_text(bson, cases[i].source)),
				&request, &info),
			ERR_UNREADABLE);
		/* What opens is not complained of; then it is the first field that is missing. */
		if ((strstr(info.detail, cases[i].field) == NULL) != cases[i].opens)
			printf("%s: %s\n", cases[i].name, info.detail);
		CU_ASSERT_EQUAL(strstr(info.detail, cases[i].field) == NULL, cases[i].opens);
		if (cases[i].opens)
			CU_ASSERT_PTR_NOT_NULL(strstr(info.detail, "meeting.id"));
	}
	store_unit_fini(&unit);
}

static void test_store_bson_damaged_seals_do_not_open(void)
{
	struct store_unit unit;
	struct request *request;
	struct err_info info;
	char *text;
	size_t i, length;
	int way;

	store_unit_init(&unit, CORE_KEY_1);
	text = arena_strdup(unit.arena,
		store_meeting_text(store_write(&unit, store_full_request(unit.arena)), "passcode"));
	length = strlen(text);
	for (i = 0; i < length; i++)
		for (way = 0; way < 2; way++) {
			const char whole = text[i];

			info = (struct err_info){0};
			text[i] = way ? '\0' : (char)(whole == 'A' ? 'B' : 'A');
			CU_ASSERT_EQUAL(store_read_json(&unit,
						arena_printf(unit.arena,
							"{\"_id\":\"" CORE_ID
							"\",\"meeting\":{\"passcode\":\"%s\"}}",
							text),
						&request, &info),
				ERR_UNREADABLE);
			CU_ASSERT_PTR_NOT_NULL(strstr(info.detail, "meeting.passcode"));
			CU_ASSERT_PTR_NULL(strstr(info.detail, "4711"));
			text[i] = whole;
		}
	store_unit_fini(&unit);
}

static void test_store_bson_keys_rotate(void)
{
	static const struct {
		const char *name, *keys;
		bool opens;
	} cases[] = {
		{"same key", CORE_KEY_1, true},
		{"a new key before it", CORE_KEY_2 CORE_KEY_1, true},
		{"key thrown away", CORE_KEY_2, false},
	};
	struct store_unit writer, reader;
	struct request *request;
	const bson_t *bson;
	size_t i;

	store_unit_init(&writer, CORE_KEY_1);
	bson = store_write(&writer, store_full_request(writer.arena));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		store_unit_init(&reader, cases[i].keys);
		CU_ASSERT_EQUAL(store_request_read(&reader.store, reader.arena, bson, STORE_WHOLE,
					&request, NULL),
			cases[i].opens ? ERR_OK : ERR_UNREADABLE);
		store_unit_fini(&reader);
	}
	store_unit_fini(&writer);
}

/* ---- documents that are not as we write them ---- */

/* How a copy differs from what we write, in every document at every level. */
struct store_change {
	bool unknown;                /* fields that nobody knows, first and last */
	bool backward;               /* the fields in reverse order */
	const struct model *drop_of; /* NULL: nothing is dropped */
	const struct model_field *drop;
	bool null; /* null instead of dropped */
};

static const struct model_field *store_field_named(const struct model *model, const char *name)
{
	size_t i;

	for (i = 0; i < model->field_count; i++)
		if (strcmp(model->fields[i].flags & MODEL_KEY ? "_id" : model->fields[i].name,
			    name) == 0)
			return &model->fields[i];
	return NULL;
}

static void store_append_unknown(const struct store_change *change, const char *name, bson_t *out)
{
	bson_t *unknown = BCON_NEW("x", "[", BCON_INT32(1), "{", "y", BCON_NULL, "}", "]");

	if (change->unknown)
		bson_append_document(out, name, -1, unknown);
	bson_destroy(unknown);
}

static void store_copy(const struct store_change *change, const struct model *model,
	const bson_iter_t *document, bson_t *out);

static void store_copy_list(const struct store_change *change, const struct model *model,
	const bson_iter_t *list, bson_t *out)
{
	bson_iter_t items, item;
	bson_t child;

	bson_iter_recurse(list, &items);
	while (bson_iter_next(&items)) {
		bson_iter_recurse(&items, &item);
		bson_append_document_begin(out, bson_iter_key(&items), -1, &child);
		store_copy(change, model, &item, &child);
		bson_append_document_end(out, &child);
	}
}

static void store_copy_field(const struct store_change *change, const struct model *model,
	const bson_iter_t *iter, bson_t *out)
{
	const struct model_field *field = store_field_named(model, bson_iter_key(iter));
	bson_iter_t inside;
	bson_t child;

	if (model == change->drop_of && field == change->drop) {
		if (change->null)
			bson_append_null(out, bson_iter_key(iter), -1);
	} else if (field->type == MODEL_OBJECT && BSON_ITER_HOLDS_DOCUMENT(iter)) {
		bson_iter_recurse(iter, &inside);
		bson_append_document_begin(out, field->name, -1, &child);
		store_copy(change, field->of, &inside, &child);
		bson_append_document_end(out, &child);
	} else if (field->type == MODEL_LIST && BSON_ITER_HOLDS_ARRAY(iter)) {
		bson_append_array_begin(out, field->name, -1, &child);
		store_copy_list(change, field->of, iter, &child);
		bson_append_array_end(out, &child);
	} else {
		bson_append_iter(out, NULL, 0, iter);
	}
}

static void store_copy(const struct store_change *change, const struct model *model,
	const bson_iter_t *document, bson_t *out)
{
	bson_iter_t iter = *document;
	size_t count = 0, i, skip;

	while (bson_iter_next(&iter))
		count++;
	store_append_unknown(change, "a field of a later version", out);
	for (i = 0; i < count; i++) {
		iter = *document;
		for (skip = change->backward ? count - 1 - i : i; skip > 0; skip--)
			bson_iter_next(&iter);
		bson_iter_next(&iter);
		store_copy_field(change, model, &iter, out);
	}
	store_append_unknown(change, "zzz", out);
}

static enum err store_read_changed(struct store_unit *unit, const struct request *request,
	const struct store_change *change, struct request **request_r, struct err_info *info)
{
	bson_t *bson = bson_new();
	bson_iter_t document;

	arena_defer(unit->arena, store_release, bson);
	bson_iter_init(&document, store_write(unit, request));
	store_copy(change, &request_model, &document, bson);
	return store_request_read(&unit->store, unit->arena, bson, STORE_WHOLE, request_r, info);
}

static void test_store_bson_unknown_fields_and_other_order(void)
{
	static const struct store_change changes[] = {
		{0},
		{.unknown = true},
		{.backward = true},
		{.unknown = true, .backward = true},
	};
	struct store_unit unit;
	struct request *full, *read;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	full = store_full_request(unit.arena);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		CU_ASSERT_EQUAL_FATAL(
			store_read_changed(&unit, full, &changes[i], &read, NULL), ERR_OK);
		CU_ASSERT_STRING_EQUAL(core_saved(unit.arena, read), core_saved(unit.arena, full));
	}
	store_unit_fini(&unit);
}

/* What the effects of that request are about. */
static bool store_is_owed(const struct model *model, const struct model_field *field)
{
	return (model == &request_model && strcmp(field->name, "meeting") == 0) ||
	       (model == &effect_model && strcmp(field->name, "mail") == 0) ||
	       strcmp(field->name, "provider_key") == 0;
}

/* Without each of its fields: read without it, or refused with its name. */
static void store_check_drops(
	struct store_unit *unit, const struct request *full, const struct model *model)
{
	const struct model_field *field;
	struct request *read;
	int null;

	for (field = model->fields; field < model->fields + model->field_count; field++) {
		const bool required = field->flags & MODEL_REQUIRED;

		if (!(field->flags & MODEL_STORED) || (field->flags & MODEL_KEY))
			continue;
		for (null = 0; null < 2; null++) {
			const struct store_change change = {
				.drop_of = model, .drop = field, .null = null};
			struct err_info info = {0};

			CU_ASSERT_EQUAL(store_read_changed(unit, full, &change, &read, &info),
				required || store_is_owed(model, field) ? ERR_UNREADABLE : ERR_OK);
			if (required)
				CU_ASSERT_PTR_NOT_NULL(
					strstr(info.detail, arena_printf(unit->arena, "%s.%s",
								    model->name, field->name)));
		}
		if (field->of)
			store_check_drops(unit, full, field->of);
	}
}

static void test_store_bson_fields_that_are_missing(void)
{
	struct store_unit unit;

	store_unit_init(&unit, CORE_KEY_1);
	store_check_drops(&unit, store_full_request(unit.arena), &request_model);
	store_unit_fini(&unit);
}

/* What the rules take for granted, so that no document can bring a process down. */
static void test_store_bson_what_the_rules_need_is_required(void)
{
	static const struct {
		const struct model *model;
		const char *fields[12];
	} cases[] = {
		{&request_model, {"rev", "status", "client", "lawyer", "title", "timezone"}},
		{&meeting_model,
			{"id", "status", "generation", "provider", "security", "timezone"}},
		{&effect_model, {"id", "kind", "state", "due"}},
		{&audit_event_model,
			{"id", "at", "actor", "source", "action", "request_id", "hash"}},
		{&audit_actor_model, {"role"}},
	};
	size_t i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (j = 0; cases[i].fields[j]; j++)
			CU_ASSERT(store_field_named(cases[i].model, cases[i].fields[j])->flags &
				  MODEL_REQUIRED);
	CU_ASSERT(store_field_named(store_field_named(&effect_model, "mail")->of, "party")->flags &
		  MODEL_REQUIRED);
	CU_ASSERT(store_field_named(store_field_named(&effect_model, "removal")->of, "provider")
			  ->flags &
		  MODEL_REQUIRED);
}

static void test_store_bson_wrong_types(void)
{
	static const struct {
		const char *name, *json, *field;
	} cases[] = {
		{"text for a number", "'rev':'7'", "request.rev"},
		{"fraction for a number", "'rev':7.0", "request.rev"},
		{"truth for a number", "'rev':true", "request.rev"},
		{"number for a text", "'title':7", "request.title"},
		{"document for a text", "'title':{}", "request.title"},
		{"number for an instant", "'starts_at':7", "request.starts_at"},
		{"text for an instant", "'starts_at':'2027-03-01T14:00:00Z'", "request.starts_at"},
		{"unknown status", "'status':'sleeping'", "request.status"},
		{"empty status", "'status':''", "request.status"},
		{"number for a status", "'status':0", "request.status"},
		{"text for a document", "'client':'Ada'", "request.client"},
		{"list for a document", "'client':[]", "request.client"},
		{"document for a list", "'events':{}", "request.events"},
		{"text for a list", "'effects':''", "request.effects"},
		{"texts in a list of documents", "'effects':['x']", "request.effects"},
		{"null in a list of documents", "'effects':[null]", "request.effects"},
		{"number in a list of texts", "'meeting':{'dial_in':['1',2]}", "meeting.dial_in"},
		{"deep inside", "'events':[{'actor':{'role':'king'}}]", "actor.role"},
		{"unknown effect", "'effects':[{'kind':'meeting.dance'}]", "effect.kind"},
		{"text for a truth", "'meeting':{'security':{'waiting_room':'yes'}}",
			"security.waiting_room"},
		{"number for a truth", "'meeting':{'security':{'waiting_room':1}}",
			"security.waiting_room"},
		{"plain text for a sealed one", "'meeting':{'passcode':'4711'}",
			"meeting.passcode"},
		{"number for a sealed one", "'meeting':{'passcode':4711}", "meeting.passcode"},
		{"empty seal", "'meeting':{'passcode':''}", "meeting.passcode"},
		{"seal without content", "'meeting':{'passcode':'v1:k1:'}", "meeting.passcode"},
		{"seal of an unknown key", "'meeting':{'passcode':'v1:k9:AAAA'}",
			"meeting.passcode"},
		{"seal in a list", "'answers':[{'reply':'v1:k1:AAAA'}]", "answer.reply"},
		{"what is never stored is not looked at", "'meeting':{'join_url':7}", "meeting.id"},
		{"a 32-bit number is a number", "'rev':{'$numberInt':'7'}", "request.status"},
	};
	struct store_unit unit;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info info = {0};
		struct request *request;
		char *json, *c;

		json = arena_printf(unit.arena, "{'_id':'" CORE_ID "',%s}", cases[i].json);
		for (c = json; *c; c++)
			if (*c == '\'')
				*c = '"';
		CU_ASSERT_EQUAL(store_read_json(&unit, json, &request, &info), ERR_UNREADABLE);
		if (!strstr(info.detail, cases[i].field))
			printf("%s: %s\n", cases[i].name, info.detail);
		CU_ASSERT_PTR_NOT_NULL(strstr(info.detail, cases[i].field));
		CU_ASSERT_PTR_NOT_NULL(strstr(info.detail, CORE_ID));
	}
	store_unit_fini(&unit);
}

static void test_store_bson_needs_an_id(void)
{
	static const char *const documents[] = {"{}", "{\"id\":\"x\"}", "{\"_id\":7}",
		"{\"_id\":null}",
		"{\"_id\":{\"$oid\":"
		"\"507f1f77bcf86cd799439011\"}}"};
	struct store_unit unit;
	struct request *request;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		CU_ASSERT_EQUAL(
			store_read_json(&unit, documents[i], &request, NULL), ERR_UNREADABLE);
	store_unit_fini(&unit);
}

/* Damaged bytes: whatever they say, reading ends with an answer. */
static void test_store_bson_damaged_bytes(void)
{
	struct store_unit unit;
	const bson_t *whole;
	uint8_t *bytes;
	size_t i;
	int bit;

	store_unit_init(&unit, CORE_KEY_1);
	whole = store_write(&unit, store_full_request(unit.arena));
	bytes = arena_alloc(unit.arena, whole->len);
	memcpy(bytes, bson_get_data(whole), whole->len);
	/* The first four bytes are the length, which the driver has checked. */
	for (i = 4; i < whole->len; i++)
		for (bit = 0; bit < 8; bit += 3) {
			struct arena *arena = arena_new();
			struct request *request;
			bson_t bson;

			bytes[i] ^= (uint8_t)(1 << bit);
			if (bson_init_static(&bson, bytes, whole->len))
				store_request_read(
					&unit.store, arena, &bson, STORE_WHOLE, &request, NULL);
			bytes[i] ^= (uint8_t)(1 << bit);
			arena_free(&arena);
		}
	CU_ASSERT_EQUAL(memcmp(bytes, bson_get_data(whole), whole->len), 0);
	store_unit_fini(&unit);
}

/* ---- maps, numbers, and what they are sealed with ---- */

static struct config *store_full_config(struct arena *arena)
{
	struct config *config = arena_alloc(arena, sizeof(*config));
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_ADMIN, "admin-1");

	config_init(arena, config);
	config->rev = 7;
	config_set_enabled(arena, config, "zoom", true);
	config_set_text(arena, &config->settings, "zoom", "host_user", "me \xc3\xa4");
	config_set_text(arena, &config->settings, "zoom", "empty", "");
	config_set_text(arena, &config->credentials, "zoom", "client_id", "the client id");
	config_set_text(arena, &config->credentials, "zoom", "client_secret", "a\nsecret");
	config_note(&cause, config, "/providers/zoom/credentials/client_id", NULL, "set");
	*(int64_t *)model_list_add(
		arena, &config->policy->reminders_minutes_before, sizeof(int64_t)) = INT64_MIN;
	return config;
}

static bson_t *store_write_config(struct store_unit *unit, const struct config *config)
{
	bson_t *bson = bson_new();

	arena_defer(unit->arena, store_release, bson);
	store_bson_write(&unit->store, unit->arena, &config_model, config, CONFIG_ID, bson);
	return bson;
}

static enum err store_read_config(
	struct store_unit *unit, const bson_t *bson, struct config *config_r, struct err_info *info)
{
	bson_iter_t iter;

	*config_r = (struct config){0};
	bson_iter_init(&iter, bson);
	return store_bson_read(
		&unit->store, unit->arena, &config_model, &iter, CONFIG_ID, config_r, info);
}

static const char *store_config_saved(struct arena *arena, const struct config *config)
{
	return model_text(arena, &config_model, config, MODEL_STORED);
}

static void test_store_bson_maps_and_numbers(void)
{
	static const char *const secrets[] = {"the client id", "a\nsecret"};
	struct store_unit unit;
	const struct config *full;
	struct config read;
	const bson_t *bson;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	full = store_full_config(unit.arena);
	bson = store_write_config(&unit, full);
	CU_ASSERT_TRUE(bson_validate(bson,
		BSON_VALIDATE_UTF8 | BSON_VALIDATE_DOT_KEYS | BSON_VALIDATE_EMPTY_KEYS, NULL));
	CU_ASSERT_EQUAL_FATAL(store_read_config(&unit, bson, &read, NULL), ERR_OK);
	CU_ASSERT_STRING_EQUAL(
		store_config_saved(unit.arena, &read), store_config_saved(unit.arena, full));
	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		CU_ASSERT_PTR_NULL(
			memmem(bson_get_data(bson), bson->len, secrets[i], strlen(secrets[i])));
	CU_ASSERT_PTR_NOT_NULL(memmem(bson_get_data(bson), bson->len, "me \xc3\xa4", 5));

	/* Empty ones stay what they are. */
	config_init(unit.arena, &read);
	read.policy->reminders_minutes_before.count = 0;
	bson = store_write_config(&unit, &read);
	CU_ASSERT_EQUAL(store_read_config(&unit, bson, &read, NULL), ERR_OK);
	CU_ASSERT_EQUAL(read.settings.count + read.credentials.count, 0);
	CU_ASSERT_EQUAL(read.policy->reminders_minutes_before.count, 0);
	store_unit_fini(&unit);
}

/* A document as it is stored, but for one member that is another. */
static enum err store_read_config_with(struct store_unit *unit, const bson_t *whole,
	const char *member, const char *json, struct err_info *info)
{
	const bson_t *other = store_from_json(unit, json);
	bson_t *bson = bson_new();
	struct config read;

	arena_defer(unit->arena, store_release, bson);
	bson_copy_to_excluding_noinit(whole, bson, member, NULL);
	bson_concat(bson, other);
	return store_read_config(unit, bson, &read, info);
}

static void test_store_bson_maps_that_are_none(void)
{
	static const struct {
		const char *name, *member, *json, *field; /* NULL: it is read */
	} cases[] = {
		{"empty", "settings", "{\"settings\":{}}", NULL},
		{"null", "settings", "{\"settings\":null}", NULL},
		{"list", "settings", "{\"settings\":[\"x\"]}", "config.settings"},
		{"text", "settings", "{\"settings\":\"x\"}", "config.settings"},
		{"number in it", "settings", "{\"settings\":{\"a\":1}}", "config.settings"},
		{"null in it", "settings", "{\"settings\":{\"a\":null}}", "config.settings"},
		{"plain credential", "credentials", "{\"credentials\":{\"a\":\"b\"}}",
			"config.credentials"},
		{"null credential", "credentials", "{\"credentials\":{\"a\":null}}",
			"config.credentials"},
		{"seal of nobody", "credentials", "{\"credentials\":{\"a\":\"v1:k9:AAAA\"}}",
			"config.credentials"},
		{"names", "enabled", "{\"enabled\":{}}", "config.enabled"},
		{"no policy", "policy", "{}", "config.policy"},
		{"policy without numbers", "policy", "{\"policy\":{}}", "policy.default_provider"},
		{"no rev", "rev", "{}", "config.rev"},
	};
	struct store_unit unit;
	const bson_t *whole;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	whole = store_write_config(&unit, store_full_config(unit.arena));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info info = {0};
		enum err err =
			store_read_config_with(&unit, whole, cases[i].member, cases[i].json, &info);

		UNIT_CHECK(err == (cases[i].field ? ERR_UNREADABLE : ERR_OK), cases[i].name);
		if (cases[i].field)
			UNIT_CHECK(strstr(info.detail, cases[i].field) != NULL, cases[i].name);
	}
	store_unit_fini(&unit);
}

static void test_store_bson_lists_of_numbers(void)
{
	static const struct {
		const char *name, *json;
		int64_t sum; /* -1: refused */
	} cases[] = {
		{"none", "[]", 0},
		{"32 and 64 bits", "[{\"$numberInt\":\"7\"},{\"$numberLong\":\"8\"}]", 15},
		{"text", "[\"7\"]", -1},
		{"fraction", "[7.0]", -1},
		{"truth", "[true]", -1},
		{"null", "[null]", -1},
		{"document", "{}", -1},
		{"number", "7", -1},
	};
	struct numbers {
		struct model_list list;
	};
	static const struct model_field field[] = {
		MODEL_FIELD(struct numbers, list, MODEL_INTS, MODEL_STORED, .max = 0)};
	static const struct model model = MODEL(struct numbers, "numbers", field);
	struct store_unit unit;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct numbers numbers = {0};
		bson_iter_t iter;
		int64_t sum = 0;
		enum err err;

		bson_iter_init(
			&iter, store_from_json(&unit,
				       arena_printf(unit.arena, "{\"list\":%s}", cases[i].json)));
		err = store_bson_read(&unit.store, unit.arena, &model, &iter, "x", &numbers, NULL);
		UNIT_CHECK(err == (cases[i].sum < 0 ? ERR_UNREADABLE : ERR_OK), cases[i].name);
		MODEL_FOREACH (&numbers.list, int64_t, number)
			sum += *number;
		UNIT_CHECK(cases[i].sum < 0 || sum == cases[i].sum, cases[i].name);
	}
	store_unit_fini(&unit);
}

/* The sealed text under a name of the map, as stored. */
static const char *store_credential(const bson_t *bson, const char *name)
{
	bson_iter_t iter, map;

	bson_iter_init_find(&iter, bson, "credentials");
	bson_iter_recurse(&iter, &map);
	CU_ASSERT_TRUE_FATAL(bson_iter_find(&map, name));
	return bson_iter_utf8(&map, NULL);
}

static void test_store_bson_credentials_stay_where_they_are(void)
{
	static const struct {
		const char *name, *from, *to;
		bool opens;
	} cases[] = {
		{"where it was", "zoom/client_id", "zoom/client_id", true},
		{"under another name", "zoom/client_id", "zoom/client_secret", false},
		{"at another provider", "zoom/client_id", "teams/client_id", false},
	};
	struct store_unit unit;
	const bson_t *whole;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	whole = store_write_config(&unit, store_full_config(unit.arena));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info info = {0};
		enum err err = store_read_config_with(&unit, whole, "credentials",
			arena_printf(unit.arena, "{\"credentials\":{\"%s\":\"%s\"}}", cases[i].to,
				store_credential(whole, cases[i].from)),
			&info);

		UNIT_CHECK(err == (cases[i].opens ? ERR_OK : ERR_UNREADABLE), cases[i].name);
	}
	store_unit_fini(&unit);
}

static bool store_newest(struct store_unit *unit, const struct model *model, const bson_t *bson)
{
	bson_iter_t iter;

	bson_iter_init(&iter, bson);
	return store_bson_is_newest(&unit->store, model, &iter);
}

static void test_store_bson_tells_what_needs_an_older_key(void)
{
	struct store_unit old, unit;
	struct config *config;
	struct request *full, *plain;

	store_unit_init(&old, CORE_KEY_1);
	store_unit_init(&unit, CORE_KEY_2 CORE_KEY_1);
	config = store_full_config(old.arena);
	full = store_full_request(old.arena);
	plain = core_open(old.arena);
	/* What people write is not sealed, whatever it looks like. */
	plain->title = "v1:k1:AAAA";
	plain->answers.count = 0;
	CU_ASSERT_TRUE(store_newest(&old, &config_model, store_write_config(&old, config)));
	CU_ASSERT_TRUE(store_newest(&old, &request_model, store_write(&old, full)));
	CU_ASSERT_FALSE(store_newest(&unit, &config_model, store_write_config(&old, config)));
	CU_ASSERT_FALSE(store_newest(&unit, &request_model, store_write(&old, full)));
	CU_ASSERT_TRUE(store_newest(&unit, &request_model, store_write(&old, plain)));
	CU_ASSERT_TRUE(store_newest(&unit, &config_model, store_write_config(&unit, config)));
	CU_ASSERT_TRUE(store_newest(&unit, &request_model, store_write(&unit, full)));
	/* Each place counts alone. */
	config->credentials.count = 1;
	CU_ASSERT_FALSE(store_newest(&unit, &config_model, store_write_config(&old, config)));
	config->credentials.count = 0;
	CU_ASSERT_TRUE(store_newest(&unit, &config_model, store_write_config(&old, config)));
	full->meeting = NULL;
	CU_ASSERT_FALSE(store_newest(&unit, &request_model, store_write(&old, full)));
	store_unit_fini(&unit);
	store_unit_fini(&old);
}

/* ---- depth ---- */

static void test_store_bson_projection_leaves_out_what_is_not_shown(void)
{
	static const char *const not_shown[] = {"meetings", "client_news", "lawyer_news", "events",
		"audit_seal", "effects", "answers", "replies", "changes", "overlaps",
		"overlaps_allowed", "owed", "owes", "decision", "due", "shelf", "over_at",
		"client_until", "lawyer_until", "admin_until", "proposed_until"};
	bson_t *tag = BCON_NEW("_id", BCON_INT32(1), "client", BCON_INT32(1), "lawyer",
		BCON_INT32(1), "status", BCON_INT32(1), "starts_at", BCON_INT32(1), "ends_at",
		BCON_INT32(1), "meeting", BCON_INT32(1), "proposal", BCON_INT32(1), "updated_at",
		BCON_INT32(1), "fingerprint", BCON_INT32(1));
	struct store store = {0};
	size_t i, left_out = 0;

	store_projections_init(&store);
	CU_ASSERT_PTR_NULL(store_projection(&store, STORE_WHOLE));
	CU_ASSERT_TRUE(bson_equal(store_projection(&store, STORE_TAG), tag));
	for (i = 0; i < sizeof(not_shown) / sizeof(not_shown[0]); i++)
		CU_ASSERT_FALSE(
			bson_has_field(store_projection(&store, STORE_CURRENT), not_shown[i]));
	MODEL_FOREACH_FIELD (&request_model, field) {
		left_out += (field->flags & MODEL_STORED) &&
			    !bson_has_field(store_projection(&store, STORE_CURRENT),
				    store_field_key(field));
	}
	CU_ASSERT_EQUAL(left_out, sizeof(not_shown) / sizeof(not_shown[0]));
	CU_ASSERT_TRUE(bson_has_field(store_projection(&store, STORE_HISTORY), "meetings"));
	CU_ASSERT_TRUE(bson_has_field(store_projection(&store, STORE_OWED), "effects"));
	bson_destroy(tag);
	store_projections_fini(&store);
}

/* Empties what has one of the flags. */
static void store_blank(const struct model *model, void *object, unsigned flags)
{
	MODEL_FOREACH_FIELD (model, field) {
		void *at = (char *)object + field->offset;

		if (!(field->flags & flags)) {
			if (field->type == MODEL_OBJECT && *(void **)at)
				store_blank(field->of, *(void **)at, flags);
		} else if (field->type == MODEL_STRING || field->type == MODEL_OBJECT) {
			*(void **)at = NULL;
		} else if (field->type == MODEL_INSTANT) {
			*(int64_t *)at = 0;
		} else {
			*(struct model_list *)at = (struct model_list){0};
		}
	}
}

static void test_store_bson_shows_no_more_than_its_depth(void)
{
	static const struct {
		const char *name;
		enum store_depth depth;
		unsigned without;
	} depths[] = {
		{"current", STORE_CURRENT, MODEL_HEAVY | MODEL_HISTORY | MODEL_INDEXED},
		{"history", STORE_HISTORY, MODEL_HEAVY | MODEL_INDEXED},
	};
	struct store_unit unit;
	struct request *full, *read;
	const bson_t *bson;
	size_t i;

	store_unit_init(&unit, CORE_KEY_1);
	for (i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		full = store_full_request(unit.arena);
		bson = store_write(&unit, full);
		CU_ASSERT_EQUAL_FATAL(store_request_read(&unit.store, unit.arena, bson,
					      depths[i].depth, &read, NULL),
			ERR_OK);
		CU_ASSERT_EQUAL(read->rev, 0); /* so that it cannot be saved */
		full->rev = 0;
		store_blank(&request_model, full, depths[i].without);
		MODEL_FOREACH (&full->meetings, struct meeting, meeting) {
			store_blank(&meeting_model, meeting, depths[i].without);
		}
		UNIT_CHECK(strcmp(core_saved(unit.arena, read), core_saved(unit.arena, full)) == 0,
			depths[i].name);
	}
	store_unit_fini(&unit);
}

/* What is sealed under a key that is not there any more is opened by nobody. */
static void test_store_bson_opens_no_more_than_its_depth(void)
{
	struct store_unit unit, stranger;
	struct request *full, *read;
	const bson_t *sealed, *bare;

	store_unit_init(&unit, CORE_KEY_1);
	store_unit_init(&stranger, CORE_KEY_2);
	full = store_full_request(unit.arena);
	sealed = store_write(&unit, full);
	full->meeting->passcode = full->meeting->direct_url = NULL;
	full->meeting->dial_in = (struct model_list){0};
	MODEL_FOREACH (&full->meetings, struct meeting, meeting) {
		meeting->passcode = meeting->direct_url = NULL;
		meeting->dial_in = (struct model_list){0};
	}
	bare = store_write(&unit, full);
#define READ(bson, depth) store_request_read(&stranger.store, unit.arena, bson, depth, &read, NULL)
	CU_ASSERT_EQUAL(READ(sealed, STORE_CURRENT), ERR_UNREADABLE);
	CU_ASSERT_EQUAL(READ(bare, STORE_CURRENT), ERR_OK);
	CU_ASSERT_EQUAL(READ(bare, STORE_HISTORY), ERR_OK);
	CU_ASSERT_EQUAL(READ(bare, STORE_WHOLE), ERR_UNREADABLE);
	CU_ASSERT_EQUAL_FATAL(READ(sealed, STORE_TAG), ERR_OK);
#undef READ
	CU_ASSERT_STRING_EQUAL(read->id, full->id);
	CU_ASSERT_STRING_EQUAL(read->fingerprint, full->fingerprint);
	CU_ASSERT_STRING_EQUAL(
		read->side[PARTY_LAWYER].person->id, full->side[PARTY_LAWYER].person->id);
	CU_ASSERT_EQUAL(read->updated_at, full->updated_at);
	CU_ASSERT_EQUAL(read->starts_at, full->starts_at);
	CU_ASSERT_EQUAL(read->ends_at, full->ends_at);
	CU_ASSERT_EQUAL(read->meeting->opens_at, full->meeting->opens_at);
	CU_ASSERT_EQUAL(read->meeting->expires_at, full->meeting->expires_at);
	CU_ASSERT_PTR_NULL(read->title);
	store_unit_fini(&stranger);
	store_unit_fini(&unit);
}

static const struct unit_case cases[] = {
	{"round trip", test_store_bson_round_trip},
	{"full request is full", test_store_bson_full_request_is_full},
	{"nulls and absences", test_store_bson_nulls_and_absences},
	{"sealed fields are unreadable", test_store_bson_sealed_fields_are_unreadable},
	{"sealed values stay where they are", test_store_bson_sealed_values_stay_where_they_are},
	{"damaged seals do not open", test_store_bson_damaged_seals_do_not_open},
	{"keys rotate", test_store_bson_keys_rotate},
	{"unknown fields and other order", test_store_bson_unknown_fields_and_other_order},
	{"fields that are missing", test_store_bson_fields_that_are_missing},
	{"what the rules need is required", test_store_bson_what_the_rules_need_is_required},
	{"wrong types", test_store_bson_wrong_types},
	{"needs an id", test_store_bson_needs_an_id},
	{"damaged bytes", test_store_bson_damaged_bytes},
	{"maps and numbers", test_store_bson_maps_and_numbers},
	{"maps that are none", test_store_bson_maps_that_are_none},
	{"lists of numbers", test_store_bson_lists_of_numbers},
	{"credentials stay where they are", test_store_bson_credentials_stay_where_they_are},
	{"tells what needs an older key", test_store_bson_tells_what_needs_an_older_key},
	{"projection leaves out what is not shown",
		test_store_bson_projection_leaves_out_what_is_not_shown},
	{"shows no more than its depth", test_store_bson_shows_no_more_than_its_depth},
	{"opens no more than its depth", test_store_bson_opens_no_more_than_its_depth},
};

UNIT_MAIN("store bson", cases)
