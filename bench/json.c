/*
 * What writing the request document of API.md costs: ours (model_write) and the libraries of
 * bench/json, each given as name=library.so, in turn, in one run. All must write the same bytes.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "instant.h"
#include "json_writer.h"
#include "request.h"

enum { ROUNDS = 9, DOCUMENTS = 4000, MOST = 8 };

struct way {
	const char *name;
	json_writer *write;
	int64_t best_ns; /* of a document */
};

static const char *write_ours(
	const struct model *model, const void *object, unsigned flags, bool *owned_r)
{
	struct buf out;

	buf_init(&out, 1024 * 1024);
	model_write(model, object, flags, &out);
	*owned_r = true;
	return out.bytes;
}

static void load(struct way *way, char *argument)
{
	char *path = strchr(argument, '=');
	void (**format)(int64_t, bool, char *);
	void *library;

	*path++ = '\0';
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	*way = (struct way){.name = argument, .write = dlsym(library, "json_write")};
	format = dlsym(library, "json_format_instant");
	*format = instant_format;
}

static const struct request *example(struct arena *arena)
{
	static struct person client = {
		"client-1", "Clara Groß", "clara@example.org", "Europe/Berlin", "de"};
	static struct person lawyer = {"lawyer-1", "Lena O'Neill", "lena@example.org", NULL, NULL};
	static struct security security = {true, false, true, false, true};
	static struct meeting meeting = {.id = "AAECAwQFBgcICQoLDA0ODw",
		.generation = 1,
		.status = MEETING_READY,
		.provider = "zoom",
		.requested_provider = "zoom",
		.join_url = "https://meet.example/join/AAECAwQFBgcICQoLDA0ODwEAAAABAAECAwQFBgcICQ",
		.passcode = "412 908",
		.timezone = "Europe/Berlin",
		.security = &security,
		.calendar_url = "https://meet.example/calendar/event/AAECAwQFBgcICQoLDA0ODwEA.ics"};
	static struct request request = {.id = "AAECAwQFBgcICQoLDA0ODw",
		.status = REQUEST_ACCEPTED,
		.title = "Consultation about a contract of \"Müller & Söhne\"",
		.description =
			"I would like to talk about the contract that we have been offered.\n"
			"It has twelve pages, and the part about liability is unusual.\n",
		.side = {{&client, NULL}, {&lawyer, NULL}},
		.duration_minutes = 45,
		.timezone = "Europe/Berlin",
		.message = "Gladly. Please have the papers at hand.",
		.meeting = &meeting};
	int i;

	request.created_at = request.updated_at = INT64_C(1803909600123);
	request.starts_at = meeting.starts_at = INT64_C(1804000000000);
	request.ends_at = meeting.ends_at = request.starts_at + 45 * INSTANT_MINUTE;
	meeting.opens_at = request.starts_at - 15 * INSTANT_MINUTE;
	meeting.expires_at = request.ends_at + INSTANT_HOUR;
	meeting.created_at = meeting.ready_at = request.updated_at;
	for (i = 0; i < 2; i++)
		*(const char **)model_list_add(arena, &meeting.dial_in, sizeof(char *)) =
			i ? "+49 69 7104 9922" : "+49 30 5679 5800";
	return &request;
}

static int64_t measure(const struct way *way, const struct request *request)
{
	const int64_t begun_us = clock_monotonic_us();
	const char *text;
	bool owned;
	int i;

	for (i = 0; i < DOCUMENTS; i++) {
		text = way->write(&request_model, request, MODEL_SHOWN, &owned);
		if (owned)
			free((void *)text);
	}
	return (clock_monotonic_us() - begun_us) * 1000 / DOCUMENTS;
}

static void check(const struct way *way, const struct request *request, const char *expected)
{
	bool owned;
	const char *text = way->write(&request_model, request, MODEL_SHOWN, &owned);

	if (strcmp(text, expected) != 0) {
		fprintf(stderr, "%s writes something else: %s\n", way->name, text);
		exit(1);
	}
	if (owned)
		free((void *)text);
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	const struct request *request = example(arena);
	const char *expected = model_text(arena, &request_model, request, MODEL_SHOWN);
	struct way ways[MOST] = {{.name = "ours", .write = write_ours}};
	int count = 1, round, i;
	int64_t ns;

	for (; count < argc && count < MOST; count++)
		load(&ways[count], argv[count]);
	for (i = 0; i < count; i++)
		check(&ways[i], request, expected);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < count; i++) {
			ns = measure(&ways[i], request);
			if (round == 0 || ns < ways[i].best_ns)
				ways[i].best_ns = ns;
		}
	}
	printf("a request of %zu bytes, the best of %d rounds of %d documents\n", strlen(expected),
		ROUNDS, DOCUMENTS);
	for (i = 0; i < count; i++)
		printf("%-10s %7" PRId64 " ns a document  %5.2f x ours\n", ways[i].name,
			ways[i].best_ns, (double)ways[i].best_ns / (double)ways[0].best_ns);
	arena_free(&arena);
	return 0;
}
