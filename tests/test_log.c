#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "log.h"
#include "unit.h"
#include "utf8.h"

enum { LINE_SIZE = 4097 };

/* Standard error becomes a socket that keeps messages apart, so that a second write() shows. */
static int log_socket[2], log_real_stderr;

static void capture(void)
{
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, log_socket), 0);
	log_real_stderr = dup(STDERR_FILENO);
	dup2(log_socket[0], STDERR_FILENO);
}

static void release(void)
{
	dup2(log_real_stderr, STDERR_FILENO);
	close(log_real_stderr);
	close(log_socket[0]);
	close(log_socket[1]);
}

/* The next write(); "" when there was none. */
static char *next_line(void)
{
	static char line[LINE_SIZE];
	ssize_t got = recv(log_socket[1], line, sizeof(line) - 1, MSG_DONTWAIT);

	line[got > 0 ? got : 0] = '\0';
	return line;
}

/* What follows the pid in a well-formed line; "" when the line is another. */
static const char *message_of(const char *line)
{
	int used = 0;
	char level[16], role[16];
	int numbers[8];

	if (sscanf(line, "at=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ level=%15s role=%15s pid=%d%n",
		    &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4], &numbers[5],
		    &numbers[6], level, role, &numbers[7], &used) != 10)
		return "";
	CU_ASSERT_EQUAL(numbers[7], (int)getpid());
	CU_ASSERT_EQUAL(line[used], ' ');
	return line + used + 1;
}

static const struct log_field fields[] = {
	{"route", .text = "/api/requests/{}"},
	{"status", .number = 404},
	{"said", .text = "a \"b\" \\ c"},
	{"empty", .text = ""},
	{"word", .text = "stra\xc3\x9f"
			 "e"},
};

static void test_line(void)
{
	capture();
	log_init("worker", LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
	log_warning("%s %d", "number", 7);
	log_set_request("req-1");
	log_error("x");
	log_fields(LOG_LEVEL_INFO, "http", fields, sizeof(fields) / sizeof(fields[0]));
	log_set_request(NULL);
	log_debug("y=1");
	CU_ASSERT_STRING_EQUAL(message_of(next_line()), "msg=\"number 7\"\n");
	CU_ASSERT_STRING_EQUAL(message_of(next_line()), "request_id=req-1 msg=x\n");
	CU_ASSERT_STRING_EQUAL(message_of(next_line()),
		"request_id=req-1 msg=http route=/api/requests/{} status=404 "
		"said=\"a \\\"b\\\" \\\\ c\" empty=\"\" word=\"stra\xc3\x9f"
		"e\"\n");
	CU_ASSERT_STRING_EQUAL(message_of(next_line()), "msg=\"y=1\"\n");
	CU_ASSERT_STRING_EQUAL(next_line(), "");
	log_info("z");
	CU_ASSERT_PTR_NOT_NULL(strstr(next_line(), " level=info role=worker "));
	release();
}

static void test_json(void)
{
	char line[LINE_SIZE];
	struct json_object *json, *value;

	capture();
	log_init("worker", LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	log_set_request("req-1");
	log_fields(LOG_LEVEL_INFO, "say \"no\"", fields, sizeof(fields) / sizeof(fields[0]));
	log_set_request(NULL);
	strcpy(line, next_line());
	log_init("worker", LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
	release();
	CU_ASSERT_EQUAL(line[strlen(line) - 1], '\n');
	json = json_tokener_parse(line);
	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "\",\"level\":\"info\",\"role\":\"worker\",\"pid\":"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(line, ",\"request_id\":\"req-1\",\"msg\":\"say \\\"no\\\"\","));
	CU_ASSERT_PTR_NOT_NULL(strstr(line, ",\"status\":404,"));
	CU_ASSERT(json_object_object_get_ex(json, "said", &value));
	CU_ASSERT_STRING_EQUAL(json_object_get_string(value), fields[2].text);
	CU_ASSERT(json_object_object_get_ex(json, "word", &value));
	CU_ASSERT_STRING_EQUAL(json_object_get_string(value), fields[4].text);
	json_object_put(json);
}

static void test_formats(void)
{
	enum log_format format;

	CU_ASSERT(log_format_parse("json", &format) && format == LOG_FORMAT_JSON);
	CU_ASSERT(log_format_parse("logfmt", &format) && format == LOG_FORMAT_LOGFMT);
	CU_ASSERT_FALSE(log_format_parse("JSON", &format));
	CU_ASSERT_FALSE(log_format_parse("", &format));
}

static void test_levels(void)
{
	static const struct {
		const char *name;
		bool known;
		enum log_level level;
	} rows[] = {
		{"debug", true, LOG_LEVEL_DEBUG},
		{"info", true, LOG_LEVEL_INFO},
		{"warning", true, LOG_LEVEL_WARNING},
		{"error", true, LOG_LEVEL_ERROR},
		{"INFO", false, 0},
		{"warn", false, 0},
		{"errors", false, 0},
		{"", false, 0},
		{"info ", false, 0},
	};
	enum log_level level, written;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		UNIT_CHECK(log_level_parse(rows[i].name, &level) == rows[i].known, rows[i].name);
		if (!rows[i].known)
			continue;
		UNIT_CHECK(level == rows[i].level, rows[i].name);
		capture();
		log_init("worker", level, LOG_FORMAT_LOGFMT);
		for (written = LOG_LEVEL_DEBUG; written <= LOG_LEVEL_ERROR; written++) {
			log_at(written, "x");
			UNIT_CHECK((next_line()[0] != '\0') == (written >= level), rows[i].name);
		}
		release();
	}
	log_init("worker", LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
}

static void test_one_line(void)
{
	static const struct {
		const char *name, *message, *written;
	} rows[] = {
		{"newline", "a\nlevel=error forged", "msg=\"a level=error forged\"\n"},
		{"carriage return", "a\r\nb", "msg=\"a  b\"\n"},
		{"tab and bell", "a\tb\a", "msg=\"a b \"\n"},
		{"escape sequence", "\x1b[2Ja", "msg=\" [2Ja\"\n"},
		{"turned text", "a\u202eb\ufeffc", "msg=\"a b c\"\n"},
		{"DEL",
			"a\x7f"
			"b",
			"msg=\"a b\"\n"},
		{"C1 control sequence",
			"a\xc2\x9b"
			"31m",
			"msg=\"a 31m\"\n"},
		{"first and last of C1", "\xc2\x80\xc2\x9f", "msg=\"  \"\n"},
		{"text beside C1", "\xc2\xa0\xc3\x9f\xe2\x82\xac",
			"msg=\"\xc2\xa0\xc3\x9f\xe2\x82\xac\"\n"},
		{"half a code point at the end", "a\xc2", "msg=\"a?\"\n"},
		{"quotes", "a \"b\"", "msg=\"a \\\"b\\\"\"\n"},
		{"percent signs", "100%s%n", "msg=100%s%n\n"},
		{"empty", "", "msg=\"\"\n"},
	};
	size_t i;

	capture();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log_info("%s", rows[i].message);
		UNIT_CHECK(strcmp(message_of(next_line()), rows[i].written) == 0, rows[i].name);
	}
	release();
}

/* Whatever is long is cut between two characters, and the line has its end. */
static void check_long(const char *message, enum log_format format, const char *end)
{
	const char *line;

	log_init("worker", LOG_LEVEL_DEBUG, format);
	log_info("%s", message);
	line = next_line();
	CU_ASSERT(strlen(line) > 1500 && strlen(line) < LINE_SIZE - 1);
	CU_ASSERT(utf8_valid(line, strlen(line), NULL));
	CU_ASSERT_PTR_EQUAL(strchr(line, '\n'), line + strlen(line) - 1);
	CU_ASSERT_STRING_EQUAL(line + strlen(line) - strlen(end), end);
}

static void test_long(void)
{
	char message[LINE_SIZE], request[LINE_SIZE];
	size_t shift;

	capture();
	for (shift = 0; shift < 4; shift++) {
		memset(message, 'x', shift);
		message[shift] = '\0';
		while (strlen(message) + 5 < sizeof(message))
			strcat(message, "\xf0\x9f\x98\x80");
		check_long(message, LOG_FORMAT_LOGFMT, "\"\n");
		check_long(message, LOG_FORMAT_JSON, "\"}\n");
	}
	/* Even with a request id of any length, and where all has to be escaped. */
	memset(message, '"', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	memset(request, 'r', sizeof(request) - 1);
	request[sizeof(request) - 1] = '\0';
	log_set_request(request);
	check_long(message, LOG_FORMAT_LOGFMT, "\\\"\"\n");
	check_long(message, LOG_FORMAT_JSON, "\\\"\"}\n");
	log_set_request(NULL);
	log_init("worker", LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
	CU_ASSERT_STRING_EQUAL(next_line(), "");
	release();
}

static void *log_without_request(void *unused)
{
	(void)unused;
	log_info("other");
	return NULL;
}

static void test_request_is_of_the_thread(void)
{
	pthread_t thread;

	capture();
	log_set_request("mine");
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, log_without_request, NULL), 0);
	pthread_join(thread, NULL);
	log_set_request(NULL);
	CU_ASSERT_STRING_EQUAL(message_of(next_line()), "msg=other\n");
	release();
}

static const struct unit_case cases[] = {
	{"a line", test_line},
	{"a line of JSON", test_json},
	{"formats", test_formats},
	{"levels", test_levels},
	{"a message is one line", test_one_line},
	{"long lines are cut", test_long},
	{"the request belongs to the thread", test_request_is_of_the_thread},
};

UNIT_MAIN("log", cases)
