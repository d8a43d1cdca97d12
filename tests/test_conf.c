#include <inttypes.h>
#include <sys/stat.h>

#include "conf.h"
#include "unit.h"

extern char **environ;

static enum err load_bytes(
	const void *bytes, size_t len, struct conf **conf_r, struct err_info *info)
{
	char path[UNIT_PATH_SIZE];
	enum err err;

	err_clear(info);
	unit_file(path, bytes, len);
	err = conf_load(path, conf_r, info);
	unlink(path);
	return err;
}

static enum err load_text(const char *text, struct conf **conf_r, struct err_info *info)
{
	return load_bytes(text, strlen(text), conf_r, info);
}

/* Whether every setting has its default. */
static bool is_default(const struct conf *conf)
{
	bool same = true;

#define CONF_TEXT(section, key, preset, help)          same &= strcmp(conf->section##_##key, preset) == 0;
#define CONF_INT(section, key, preset, min, max, help) same &= conf->section##_##key == (preset);
#include "conf_table.h"
#undef CONF_TEXT
#undef CONF_INT
	return same;
}

static void test_defaults(void)
{
	struct err_info info = {0};
	struct conf *conf;

	CU_ASSERT_EQUAL_FATAL(conf_load(NULL, &conf, &info), ERR_OK);
	CU_ASSERT(is_default(conf));
	conf_free(&conf);
	CU_ASSERT_PTR_NULL(conf);
	conf_free(&conf);
	CU_ASSERT_EQUAL_FATAL(load_text("", &conf, &info), ERR_OK);
	CU_ASSERT(is_default(conf));
	conf_free(&conf);
}

/* The issuer and audience that a file gives. */
static void test_file(void)
{
	static const struct {
		const char *name, *text, *issuer, *audience;
	} rows[] = {
		{"both", "[jwt]\nissuer = a\naudience = b\n", "a", "b"},
		{"no spaces", "[jwt]\nissuer=a\naudience=b", "a", "b"},
		{"colon", "[jwt]\nissuer: a\n", "a", "meetlink"},
		{"CRLF", "[jwt]\r\nissuer = a\r\n", "a", "meetlink"},
		{"byte order mark", "\xef\xbb\xbf[jwt]\nissuer = a\n", "a", "meetlink"},
		{"comments", "; a\n# b\n[jwt]\n\t; c\nissuer = a ; d\n", "a", "meetlink"},
		{"long comment",
			"; 0123456789012345678901234567890123456789012345678901234567890123"
			"456789012345678901234567890123456789012345678901234567890123456789"
			"0123456789012345678901234567890123456789012345678901234567890123\n"
			"[jwt]\nissuer = a\n",
			"a", "meetlink"},
		{"semicolon in a value", "[jwt]\nissuer = a;b\n", "a;b", "meetlink"},
		{"equals sign in a value", "[jwt]\nissuer = a=b:c\n", "a=b:c", "meetlink"},
		{"spaces in a value", "[jwt]\nissuer =  a  b  \n", "a  b", "meetlink"},
		{"quotes are part of it", "[jwt]\nissuer = \"a\"\n", "\"a\"", "meetlink"},
		{"empty value", "[jwt]\nissuer =\n", "", "meetlink"},
		{"UTF-8", "[jwt]\nissuer = \xc3\xa4\n", "\xc3\xa4", "meetlink"},
		{"the last one holds", "[jwt]\nissuer = a\nissuer = b\n", "b", "meetlink"},
		{"section in two parts", "[jwt]\nissuer = a\n[log]\n[jwt]\naudience = b\n", "a",
			"b"},
		/* To inih an indented line is more of the value above it. */
		{"indented", "[jwt]\n  issuer = a\n  audience = b\n", "a", "b"},
		{"only the second is indented", "[jwt]\nissuer = a\n\taudience = b\n", "a", "b"},
		{"indented section", " [jwt]\nissuer = a\n \n", "a", "meetlink"},
	};
	struct err_info info;
	struct conf *conf;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (load_text(rows[i].text, &conf, &info) != ERR_OK) {
			UNIT_CHECK(false, info.detail);
			continue;
		}
		UNIT_CHECK(strcmp(conf->jwt_issuer, rows[i].issuer) == 0, rows[i].name);
		UNIT_CHECK(strcmp(conf->jwt_audience, rows[i].audience) == 0, rows[i].name);
		conf_free(&conf);
	}
}

static void test_file_refused(void)
{
#define BYTES(text) (text), sizeof(text) - 1
	static const struct {
		const char *name, *bytes;
		size_t len;
		const char *words; /* in the message, behind the path */
	} rows[] = {
		{"unknown key", BYTES("[jwt]\n\nissuers = a\n"),
			" line 3: there is no setting [jwt] issuers."},
		{"unknown section", BYTES("[jwts]\nissuer = a\n"),
			" line 2: there is no setting [jwts] issuer."},
		{"other case", BYTES("[JWT]\nissuer = a\n"),
			" line 2: there is no setting [JWT] issuer."},
		{"no section", BYTES("issuer = a\n"), " line 1: there is no setting [] issuer."},
		{"underscore between", BYTES("[jwt_issuer]\n = a\n"), " line 2: "},
		{"the first fault is named", BYTES("[jwt]\na = 1\nb = 2\n"),
			" line 2: there is no setting [jwt] a."},
		{"no value", BYTES("[jwt]\n; x\nissuer\n"), " line 3: expected `[section]`"},
		{"unclosed section", BYTES("[jwt\nissuer = a\n"), " line 1: expected `[section]`"},
		{"not a number", BYTES("[server]\nworkers = two\n"),
			" line 2: server.workers must be a number from 1 to 256."},
		{"number and more", BYTES("[server]\nworkers = 2x\n"), " line 2: server.workers"},
		{"fraction", BYTES("[server]\nworkers = 2.5\n"), " line 2: server.workers"},
		{"hexadecimal", BYTES("[server]\nworkers = 0x2\n"), " line 2: server.workers"},
		{"empty number", BYTES("[server]\nworkers =\n"), " line 2: server.workers"},
		{"beyond 64 bits", BYTES("[server]\nworkers = 18446744073709551618\n"),
			" line 2: server.workers"},
		{"not UTF-8", BYTES("[jwt]\nissuer = \xff\n"),
			" line 2: jwt.issuer is not a line of UTF-8 text."},
		{"control character", BYTES("[jwt]\nissuer = a\tb\n"), " line 2: jwt.issuer"},
		/* Each of these was cut without a word. */
		{"NUL in a value", BYTES("[jwt]\nissuer = a\0b\n"), " line 2: a NUL"},
		{"NUL at the start of a line", BYTES("; a\n\0\n"), " line 2: a NUL"},
		{"only NULs", BYTES("\0\0\0\0"), " line 1: a NUL"},
	};
	char path[UNIT_PATH_SIZE], expected[256];
	struct err_info info = {0};
	struct conf *conf;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unit_file(path, rows[i].bytes, rows[i].len);
		UNIT_CHECK(conf_load(path, &conf, &info) == ERR_CONFIG, rows[i].name);
		UNIT_CHECK(!conf, rows[i].name);
		snprintf(expected, sizeof(expected), "%s%s", path, rows[i].words);
		UNIT_CHECK(strncmp(info.detail, expected, strlen(expected)) == 0, info.detail);
		unlink(path);
	}
	CU_ASSERT_EQUAL(conf_load("/nonexistent/meetlink.ini", &conf, &info), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(
		info.detail, "/nonexistent/meetlink.ini: No such file or directory.");
	/* Once it read as an empty file. */
	CU_ASSERT_EQUAL(conf_load("/tmp", &conf, &info), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(info.detail, "/tmp: Is a directory.");
}

/* What inih cannot hold must be refused, never cut. */
static void test_long_lines(void)
{
	char text[512];
	struct err_info info;
	struct conf *conf;
	size_t len, fits = 0;

	for (len = 150; len < 400; len++) {
		snprintf(text, sizeof(text), "[mongodb]\nuri = %0*d\n", (int)len, 7);
		if (load_text(text, &conf, &info) == ERR_OK) {
			CU_ASSERT_EQUAL(strlen(conf->mongodb_uri), len);
			CU_ASSERT_EQUAL(fits, 0);
			conf_free(&conf);
		} else {
			fits = fits ? fits : len - 1;
			CU_ASSERT_PTR_NOT_NULL(strstr(info.detail, " line 2: a NUL, or more than"));
		}
		/* Where a line was cut, a space made the rest the value, a semicolon a comment. */
		if (len > 200) {
			text[strlen("[mongodb]\n") + 199] = len % 2 ? ' ' : ';';
			CU_ASSERT_EQUAL(load_text(text, &conf, &info), ERR_CONFIG);
		}
	}
	CU_ASSERT_EQUAL(fits, 199 - strlen("uri = "));
}

static void test_numbers_and_names(void)
{
	struct err_info info;
	struct conf *conf;
	char text[128];

#define CONF_TEXT(section, key, preset, help)                                                      \
	CU_ASSERT_EQUAL_FATAL(                                                                     \
		load_text("[" #section "]\n" #key " = some text", &conf, &info), ERR_OK);          \
	UNIT_CHECK(strcmp(conf->section##_##key, "some text") == 0, #section "." #key);            \
	conf_free(&conf);
#define CONF_INT(section, key, preset, min, max, help)                                             \
	UNIT_CHECK((min) <= (preset) && (preset) <= (max), #section "." #key);                     \
	snprintf(text, sizeof(text), "[" #section "]\n" #key " = %" PRId64, (int64_t)(min));       \
	CU_ASSERT_EQUAL_FATAL(load_text(text, &conf, &info), ERR_OK);                              \
	UNIT_CHECK(conf->section##_##key == (min), #section "." #key);                             \
	conf_free(&conf);                                                                          \
	snprintf(text, sizeof(text), "[" #section "]\n" #key " = %" PRId64, (int64_t)(max));       \
	CU_ASSERT_EQUAL_FATAL(load_text(text, &conf, &info), ERR_OK);                              \
	UNIT_CHECK(conf->section##_##key == (max), #section "." #key);                             \
	conf_free(&conf);                                                                          \
	snprintf(text, sizeof(text), "[" #section "]\n" #key " = %" PRId64, (int64_t)(min)-1);     \
	UNIT_CHECK(load_text(text, &conf, &info) == ERR_CONFIG, #section "." #key);                \
	snprintf(text, sizeof(text), "[" #section "]\n" #key " = %" PRId64, (int64_t)(max) + 1);   \
	UNIT_CHECK(load_text(text, &conf, &info) == ERR_CONFIG, #section "." #key);
#include "conf_table.h"
#undef CONF_TEXT
#undef CONF_INT
}

/* The names that are fixed, spelled out. */
static void test_environment(void)
{
	static const struct {
		const char *name, *value;
		size_t offset;
	} rows[] = {
		{"MEETLINK_MONGODB_URI", "mongodb://db/", offsetof(struct conf, mongodb_uri)},
		{"MEETLINK_SMTP_URL", "smtp://mail:25", offsetof(struct conf, smtp_url)},
		{"MEETLINK_MAIL_FROM", "a@example.com", offsetof(struct conf, mail_from)},
		{"MEETLINK_PUBLIC_URL", "https://example.com", offsetof(struct conf, public_url)},
		{"MEETLINK_JWT_SECRET", "s ; not a comment", offsetof(struct conf, jwt_secret)},
		{"MEETLINK_JWT_ISSUER", "", offsetof(struct conf, jwt_issuer)},
		{"MEETLINK_JWT_AUDIENCE", "\xc3\xa4", offsetof(struct conf, jwt_audience)},
		{"MEETLINK_KEY_FILE", "/k", offsetof(struct conf, key_file)},
		{"MEETLINK_JITSI_URL", "https://jitsi.example", offsetof(struct conf, jitsi_url)},
	};
	struct err_info info;
	struct conf *conf;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv(rows[i].name, rows[i].value, 1);
		if (load_text("[jwt]\nissuer = file\n", &conf, &info) == ERR_OK) {
			UNIT_CHECK(strcmp(*(char **)((char *)conf + rows[i].offset),
					   rows[i].value) == 0,
				rows[i].name);
			conf_free(&conf);
		} else {
			UNIT_CHECK(false, info.detail);
		}
		unsetenv(rows[i].name);
	}
}

static void test_environment_refused(void)
{
	static const struct {
		const char *name, *variable, *value, *words;
	} rows[] = {
		{"not a number", "MEETLINK_SERVER_WORKERS", "many",
			"MEETLINK_SERVER_WORKERS: server.workers must be a number from 1 to 256."},
		{"empty number", "MEETLINK_SERVER_WORKERS", "",
			"MEETLINK_SERVER_WORKERS: server.workers must be a number from 1 to 256."},
		{"out of range", "MEETLINK_SERVER_DISPATCHERS", "-1",
			"MEETLINK_SERVER_DISPATCHERS: server.dispatchers must be a number from 0 "
			"to 64."},
		{"newline", "MEETLINK_MAIL_FROM", "a@example.com\nBcc: b@example.com",
			"MEETLINK_MAIL_FROM: mail.from is not a line of UTF-8 text."},
		{"not UTF-8", "MEETLINK_JWT_SECRET", "\xff",
			"MEETLINK_JWT_SECRET: jwt.secret is not a line of UTF-8 text."},
	};
	struct err_info info = {0};
	struct conf *conf;
	char value[4098];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv(rows[i].variable, rows[i].value, 1);
		UNIT_CHECK(conf_load(NULL, &conf, &info) == ERR_CONFIG, rows[i].name);
		UNIT_CHECK(!conf && strcmp(info.detail, rows[i].words) == 0, rows[i].name);
		unsetenv(rows[i].variable);
	}
	memset(value, 'x', sizeof(value));
	value[4096] = '\0';
	setenv("MEETLINK_MONGODB_URI", value, 1);
	CU_ASSERT_EQUAL(conf_load(NULL, &conf, &info), ERR_OK);
	CU_ASSERT(conf && strlen(conf->mongodb_uri) == 4096);
	conf_free(&conf);
	value[4096] = 'x';
	value[4097] = '\0';
	setenv("MEETLINK_MONGODB_URI", value, 1);
	CU_ASSERT_EQUAL(conf_load(NULL, &conf, &info), ERR_CONFIG);
	unsetenv("MEETLINK_MONGODB_URI");
}

/* What `meetlink check --settings` prints can be saved and loaded. */
static void test_print_settings(void)
{
	struct err_info info;
	struct conf *conf;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	conf_print_settings(out);
	fclose(out);
	CU_ASSERT_EQUAL_FATAL(load_bytes(text, len, &conf, &info), ERR_OK);
	CU_ASSERT(is_default(conf));
	conf_free(&conf);
#define CONF_TEXT(section, key, preset, help)                                                      \
	UNIT_CHECK(strstr(text, "; " help "\n" #key " = " preset "\n"), #section "." #key);
#define CONF_INT(section, key, preset, min, max, help)                                             \
	UNIT_CHECK(strstr(text, "; " help "\n" #key " = " #preset "\n"), #section "." #key);
#include "conf_table.h"
#undef CONF_TEXT
#undef CONF_INT
	free(text);
}

static const struct unit_case cases[] = {
	{"defaults", test_defaults},
	{"files", test_file},
	{"files that are refused", test_file_refused},
	{"long lines", test_long_lines},
	{"every setting, and the ends of every range", test_numbers_and_names},
	{"the environment wins", test_environment},
	{"variables that are refused", test_environment_refused},
	{"the printed settings", test_print_settings},
};

int main(void)
{
	char **variable = environ, name[128];

	/* What the caller has set would speak in every case. */
	while (*variable) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*variable, "="), *variable);
		if (strncmp(name, "MEETLINK_", 9) == 0) {
			unsetenv(name);
			variable = environ;
		} else {
			variable++;
		}
	}
	return unit_run("conf", cases, sizeof(cases) / sizeof(cases[0]));
}
