/* The least that a FastCGI program in C can do for GET /api/requests/{id}: one find by _id, the
 * document printed as JSON. No token is looked at, nothing is derived, there is no ETag. As many
 * processes and threads as meetlink has; each thread accepts by itself.
 *
 *     bare SOCKET MONGODB_URI DATABASE
 */
#include <fcgiapp.h>
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 2, THREADS = 16, BACKLOG = 1024 };

static int listener;
static mongoc_client_pool_t *pool;
static const char *database;

static void answer(FCGX_Stream *out, const bson_t *document)
{
	char *json = bson_as_relaxed_extended_json(document, NULL);

	FCGX_PutS("Content-Type: application/json\r\n\r\n", out);
	FCGX_PutS(json, out);
	bson_free(json);
}

static void find(FCGX_Stream *out, const char *id)
{
	mongoc_client_t *client = mongoc_client_pool_pop(pool);
	mongoc_collection_t *requests = mongoc_client_get_collection(client, database, "requests");
	bson_t *filter = BCON_NEW("_id", BCON_UTF8(id));
	bson_t *options = BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true),
		"projection", "{", "trail", BCON_INT32(0), "}");
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(requests, filter, options, NULL);
	const bson_t *document;

	if (mongoc_cursor_next(cursor, &document))
		answer(out, document);
	else
		FCGX_PutS("Status: 404\r\n\r\n", out);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	mongoc_collection_destroy(requests);
	mongoc_client_pool_push(pool, client);
}

static void *serve(void *unused)
{
	FCGX_Request request;
	const char *path;

	FCGX_InitRequest(&request, listener, 0);
	while (FCGX_Accept_r(&request) == 0) {
		path = FCGX_GetParam("DOCUMENT_URI", request.envp);
		find(request.out, path ? strrchr(path, '/') + 1 : "");
		FCGX_Finish_r(&request);
	}
	return unused;
}

static void work(const char *uri_text)
{
	mongoc_uri_t *uri = mongoc_uri_new(uri_text);
	pthread_t threads[THREADS];
	int i;

	if (!uri)
		abort();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mongoc_init();
	pool = mongoc_client_pool_new(uri);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, serve, NULL) != 0)
			abort();
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	int i;

	if (argc != 4)
		return 2;
	database = argv[3];
	FCGX_Init();
	listener = FCGX_OpenSocket(argv[1], BACKLOG);
	if (listener < 0)
		return 1;
	for (i = 0; i < WORKERS; i++) {
		if (fork() == 0) {
			work(argv[2]);
			return 1;
		}
	}
	while (wait(NULL) > 0)
		continue;
	return 0;
}
