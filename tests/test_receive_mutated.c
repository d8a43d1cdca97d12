/*
 * Messages that somebody has tampered with, through all of `meetlink receive` but the database:
 * what comes of each is one of few things, and nothing breaks. For the sanitizers above all.
 *
 * MUTATED_COUNT messages (10,000) from MUTATED_SEED (1) on; each is made of its number alone.
 */
#include <dirent.h>
#include <limits.h>

#include "conf.h"
#include "core_unit.h"
#include "mail_letter.h"
#include "reply.h"
#include "service_receive.h"
#include "store_change.h"
#include "store_letter.h"

enum { MAX_FILES = 32, MAX_MESSAGE = 64 * 1024, COUNT = 10000, COUNT_UNDER_VALGRIND = 100 };

static char reply_pattern[] = "meetings+{}@example.org", public_url[] = "https://meetings.test";
static const struct conf conf = {.mail_reply_address = reply_pattern, .public_url = public_url};

struct message {
	char name[64];
	char *bytes;
	size_t len;
};

static struct message files[MAX_FILES];
static size_t file_count;

/* ---- in the place of the database ---- */

static struct request *stored;
static size_t letters;

enum err store_request_load(struct store *store, struct arena *arena, const char *id,
	enum store_depth depth, struct request **request_r, struct err_info *info)
{
	(void)store;
	(void)arena;
	(void)depth;
	(void)info;
	CU_ASSERT_STRING_EQUAL(id, CORE_ID);
	*request_r = stored;
	return ERR_OK;
}

enum err store_letter_insert(struct store *store, struct arena *arena, const struct letter *letter,
	struct err_info *info)
{
	(void)store;
	(void)arena;
	(void)info;
	CU_ASSERT(id_valid(letter->id) && strlen(letter->message) <= MAIL_LETTER_MAX);
	CU_ASSERT_PTR_NOT_NULL(strstr(letter->message, MAIL_HOP_HEADER));
	letters++;
	return ERR_OK;
}

enum err store_request_change(const struct store_change *change, struct arena *arena,
	struct request **request_r, struct err_info *info)
{
	bool changed;

	(void)request_r;
	return change->rule(change->data, arena, change->loaded, &changed, info);
}

/* ---- messages ---- */

/* Puts `value` into the place of each `place`, in a buffer of MAX_MESSAGE. */
static void put(char *text, const char *place, const char *value)
{
	const size_t len = strlen(value);
	char *at = text;

	while ((at = strstr(at, place)) != NULL) {
		memmove(at + len, at + strlen(place), strlen(at + strlen(place)) + 1);
		memcpy(at, value, len);
		at += len;
	}
}

static void put_encoded(char *text)
{
	char *begin, *end, encoded[8 * 1024];

	while ((begin = strstr(text, "@BASE64@\n")) != NULL) {
		end = strstr(begin, "@END@");
		CU_ASSERT_FATAL(end != NULL);
		sodium_bin2base64(encoded, sizeof(encoded),
			(unsigned char *)begin + strlen("@BASE64@\n"),
			(size_t)(end - begin) - strlen("@BASE64@\n"),
			sodium_base64_VARIANT_ORIGINAL);
		strcat(encoded, "\n");
		memmove(begin + strlen(encoded), end + strlen("@END@\n"),
			strlen(end + strlen("@END@\n")) + 1);
		memcpy(begin, encoded, strlen(encoded));
	}
}

static void read_file(const char *folder, const char *name, const char *address, const char *uid)
{
	struct message *message = &files[file_count++];
	char path[PATH_MAX];
	size_t len;
	FILE *file;

	snprintf(message->name, sizeof(message->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	CU_ASSERT_FATAL(file != NULL);
	message->bytes = calloc(1, MAX_MESSAGE);
	len = fread(message->bytes, 1, MAX_MESSAGE / 2, file);
	CU_ASSERT(len > 0);
	fclose(file);
	put(message->bytes, "@ADDRESS@", address);
	put(message->bytes, "@ATTENDEE@", core_client.email);
	put(message->bytes, "@UID@", uid);
	put(message->bytes, "@SEQUENCE@", "0");
	put(message->bytes, "@STAMP@", "20270301T140000Z");
	put(message->bytes, "@STARTS@", "20270302T140000Z");
	put(message->bytes, "@ENDS@", "20270302T150000Z");
	put(message->bytes, "@ID@", name);
	put_encoded(message->bytes);
	message->len = strlen(message->bytes);
}

static void read_files(const char *address, const char *uid)
{
	const char *root = getenv("srcdir");
	char folder[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/tests/data/replies", root ? root : ".");
	dir = opendir(folder);
	CU_ASSERT_FATAL(dir != NULL);
	while ((entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".eml") && file_count < MAX_FILES)
			read_file(folder, entry->d_name, address, uid);
	closedir(dir);
	CU_ASSERT(file_count > 10);
}

/* ---- mutations ---- */

static uint64_t state;

static uint32_t draw(uint32_t bound)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % bound;
}

static const char *const tokens[] = {"\n", "\r", "\r\n\r\n", "\0", "--", ":", ";", "\"", "(", "\\",
	"=?utf-8?Q?=FF?=", "=?x?B?/w==?=", "boundary=", "boundary*0=\"a", "charset=utf-16",
	"charset=\"", "Content-Type: multipart/mixed; boundary=x\n\n--x\n",
	"Content-Type: message/rfc822\n\n", "Content-Transfer-Encoding: base64\n",
	"Content-Transfer-Encoding: x-uuencode\n", "BEGIN:VEVENT\n", "END:VEVENT\n",
	"BEGIN:VTIMEZONE\n", "METHOD:COUNTER\n", "METHOD:REPLY\n",
	"DTSTART;TZID=x:20270101T000000\n", "RRULE:FREQ=SECONDLY\n",
	"SEQUENCE:99999999999999999999\n", "DTSTAMP:99999999T999999Z\n",
	"ATTENDEE;PARTSTAT=ACCEPTED;CN=\"", "ATTENDEE:mailto:\n", "COMMENT:\\n\\;\\\\", "=", "=\n",
	"\xff\xfe", "\xe2\x80\xae", "Action: failed\n", "Status: 9.9.9.9.9.9.9.9.9\n",
	"Auto-Submitted: no\n", "Message-ID:\n", "Subject: \n \n"};

static void splice(struct message *message, size_t at, size_t cut, const char *bytes, size_t len)
{
	if (at > message->len)
		at = message->len;
	if (cut > message->len - at)
		cut = message->len - at;
	if (message->len - cut + len >= MAX_MESSAGE)
		return;
	memmove(message->bytes + at + len, message->bytes + at + cut, message->len - at - cut);
	memcpy(message->bytes + at, bytes, len);
	message->len += len - cut;
}

static void mutate(struct message *message)
{
	const struct message *other = &files[draw((uint32_t)file_count)];
	const size_t at = draw((uint32_t)message->len + 1);
	const char *token = tokens[draw(sizeof(tokens) / sizeof(tokens[0]))];
	size_t from, len;
	char byte;

	switch (draw(6)) {
	case 0:
		byte = (char)draw(256);
		splice(message, at, 1, &byte, 1);
		break;
	case 1:
		splice(message, at, draw(64), "", 0);
		break;
	case 2:
	case 3:
		splice(message, at, draw(2) ? draw(16) : 0, token, *token ? strlen(token) : 1);
		break;
	case 4:
		from = draw((uint32_t)other->len);
		len = draw(512);
		len = len < other->len - from ? len : other->len - from;
		splice(message, at, draw(512), other->bytes + from, len);
		break;
	default:
		if (draw(8) == 0)
			message->len = at;
	}
}

static enum err give(struct message *message)
{
	struct arena *arena = arena_new();
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	const struct service service = {.conf = &conf, .ring = ring, .wake_fd = -1};
	const struct service_call call = {.arena = arena, .now = CORE_NOW};
	char *exact = malloc(message->len ? message->len : 1);
	const struct service_mail mail = {
		.bytes = exact, .len = message->len, .from = {"Meetings", "meetings@example.org"}};
	struct person client = core_client, lawyer = core_lawyer;
	const char *did = NULL;
	struct err_info info = {0};
	enum err err;

	/* What is read beyond the end is seen. */
	memcpy(exact, message->bytes, message->len);
	stored = core_in_state(arena, CORE_READY);
	stored->side[PARTY_CLIENT].person = &client;
	stored->side[PARTY_LAWYER].person = &lawyer;
	err = service_receive(&service, &call, &mail, &did, &info);
	CU_ASSERT(err != ERR_OK || did);
	CU_ASSERT(err == ERR_OK || info.detail[0]);
	core_saved(arena, stored);
	free(exact);
	secret_ring_free(&ring);
	arena_free(&arena);
	return err;
}

static void test_mutated(void)
{
	const char *count_text = getenv("MUTATED_COUNT"), *seed_text = getenv("MUTATED_SEED");
	const long seed = seed_text ? atol(seed_text) : 1;
	const long count = count_text                      ? atol(count_text)
			   : getenv("UNIT_UNDER_VALGRIND") ? COUNT_UNDER_VALGRIND
							   : COUNT;
	struct message message = {.bytes = malloc(MAX_MESSAGE)};
	size_t outcomes[ERR_COUNT] = {0};
	long i;
	int mutations;
	enum err err;

	for (i = seed; i < seed + count; i++) {
		const struct message *file = &files[(size_t)i % file_count];

		state = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
		memcpy(message.bytes, file->bytes, file->len);
		message.len = file->len;
		for (mutations = 1 + (int)draw(8); mutations > 0; mutations--)
			mutate(&message);
		err = give(&message);
		outcomes[err]++;
		if (err != ERR_OK && err != ERR_NOT_FOUND && err != ERR_INVALID)
			fprintf(stderr, "message %ld: %s\n", i, err_code(err));
		CU_ASSERT(err == ERR_OK || err == ERR_NOT_FOUND || err == ERR_INVALID);
	}
	printf("%ld messages: %zu taken, %zu of them letters, %zu to nobody, %zu no messages\n",
		count, outcomes[ERR_OK], letters, outcomes[ERR_NOT_FOUND], outcomes[ERR_INVALID]);
	/* They are not so broken that nothing of the inside is reached. */
	CU_ASSERT(count < COUNT || (outcomes[ERR_OK] > (size_t)count / 2 && letters > 100));
	free(message.bytes);
}

static void test_whole(void)
{
	size_t i;

	for (i = 0; i < file_count; i++)
		UNIT_CHECK(give(&files[i]) == ERR_OK, files[i].name);
}

static void test_files(void)
{
	struct arena *arena = arena_new();
	struct secret_ring *ring = core_ring(CORE_KEY_1);

	read_files(reply_address(arena, ring, reply_pattern, CORE_ID, PARTY_CLIENT),
		meeting_uid(arena, core_in_state(arena, CORE_READY)->meeting));
	secret_ring_free(&ring);
	arena_free(&arena);
}

static void test_end(void)
{
	while (file_count > 0)
		free(files[--file_count].bytes);
}

static const struct unit_case cases[] = {
	{"the messages are there", test_files},
	{"as they were written", test_whole},
	{"tampered with", test_mutated},
	{"nothing is left", test_end},
};

UNIT_MAIN("receive_mutated", cases)
