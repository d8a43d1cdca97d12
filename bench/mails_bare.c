/*
 * What libcurl alone hands over: mails_bare URL FILE COUNT THREADS sends the message in FILE COUNT
 * times to one recipient a transaction, each thread over a connection of its own, and prints
 * messages a second. What bench/mails measures the dispatcher against.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *url;
static char message[1 << 20];
static size_t message_len;
static atomic_long left, failed;

struct body {
	size_t at;
};

static size_t body_read(char *to, size_t size, size_t count, void *data)
{
	struct body *body = data;
	size_t n = size * count;

	if (n > message_len - body->at)
		n = message_len - body->at;
	memcpy(to, message + body->at, n);
	body->at += n;
	return n;
}

static void *run(void *data)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *to = curl_slist_append(NULL, "you@example.org");
	struct body body;

	(void)data;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "meetings@example.org");
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, body_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, &body);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)message_len);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	while (atomic_fetch_sub(&left, 1) > 0) {
		body.at = 0;
		if (curl_easy_perform(curl) != CURLE_OK)
			atomic_fetch_add(&failed, 1);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(to);
	return NULL;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	FILE *file = argc == 5 ? fopen(argv[2], "re") : NULL;
	int count, i, wanted = argc == 5 ? atoi(argv[4]) : 0;
	double began;

	if (!file || wanted < 1 || wanted > 64)
		return 2;
	url = argv[1];
	message_len = fread(message, 1, sizeof(message), file);
	fclose(file);
	count = atoi(argv[3]);
	atomic_store(&left, count);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	began = now();
	for (i = 0; i < wanted; i++)
		pthread_create(&threads[i], NULL, run, NULL);
	for (i = 0; i < wanted; i++)
		pthread_join(threads[i], NULL);
	printf("%.1f\n", count / (now() - began));
	return atomic_load(&failed) ? 1 : 0;
}
