#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <ini.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "xalloc.h"

enum { CONF_MAX_VALUE = 4096 };

struct conf_setting {
	const char *section, *key;
	size_t offset;
	const char *text; /* NULL for a number */
	int64_t number, min, max;
	const char *help;
};

static const struct conf_setting conf_settings[] = {
#define CONF_TEXT(section, key, preset, help)                                                      \
	{#section, #key, offsetof(struct conf, section##_##key), preset, 0, 0, 0, help},
#define CONF_INT(section, key, preset, min, max, help)                                             \
	{#section, #key, offsetof(struct conf, section##_##key), NULL, preset, min, max, help},
#include "conf_table.h"
#undef CONF_TEXT
#undef CONF_INT
};

enum { CONF_COUNT = sizeof(conf_settings) / sizeof(conf_settings[0]) };

struct conf_reader {
	struct conf *conf;
	const char *path;
	FILE *file;
	int line;
	struct err_info *info;
	enum err err;
};

static enum err conf_set(struct conf *conf, const struct conf_setting *setting, const char *value,
	const char *where, struct err_info *info)
{
	char *at = (char *)conf + setting->offset;
	char *end;
	int64_t number;

	if (strlen(value) > CONF_MAX_VALUE || utf8_refusal(value, false))
		return err_set(info, ERR_CONFIG, "%s: %s.%s is not a line of UTF-8 text.", where,
			setting->section, setting->key);
	if (setting->text) {
		free(*(char **)at);
		*(char **)at = xstrdup(value);
		return ERR_OK;
	}
	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno || end == value || *end || number < setting->min || number > setting->max)
		return err_set(info, ERR_CONFIG,
			"%s: %s.%s must be a number from %" PRId64 " to %" PRId64 ".", where,
			setting->section, setting->key, setting->min, setting->max);
	*(int64_t *)at = number;
	return ERR_OK;
}

/*
 * inih would take an indented line for more of the value above, and cut what is longer than its
 * buffer or holds a NUL without a word: so it gets lines without indentation, and none of those.
 */
static char *conf_read_line(char *line, int size, void *stream)
{
	struct conf_reader *reader = stream;
	int c, len = 0;

	if (reader->err != ERR_OK)
		return NULL;
	reader->line++;
	line[0] = '\0';
	while ((c = getc(reader->file)) != EOF && c != '\n') {
		if (len == 0 && isspace(c))
			continue;
		if (c && len < size - 1) {
			line[len++] = (char)c;
		} else if (line[0] != ';' && line[0] != '#') {
			reader->err = err_set(reader->info, ERR_CONFIG,
				"%s line %d: a NUL, or more than %d bytes (the environment can "
				"hold longer values).",
				reader->path, reader->line, size - 1);
			return NULL;
		}
	}
	line[len] = '\0';
	return c == EOF && len == 0 ? NULL : line;
}

static int conf_handle(void *user, const char *section, const char *key, const char *value)
{
	struct conf_reader *reader = user;
	char where[512];
	int i;

	if (reader->err != ERR_OK)
		return 0;
	snprintf(where, sizeof(where), "%s line %d", reader->path, reader->line);
	for (i = 0; i < CONF_COUNT; i++) {
		if (strcmp(conf_settings[i].section, section) == 0 &&
			strcmp(conf_settings[i].key, key) == 0) {
			reader->err = conf_set(
				reader->conf, &conf_settings[i], value, where, reader->info);
			return reader->err == ERR_OK;
		}
	}
	reader->err = err_set(
		reader->info, ERR_CONFIG, "%s: there is no setting [%s] %s.", where, section, key);
	return 0;
}

static enum err conf_read_file(struct conf *conf, const char *path, struct err_info *info)
{
	struct conf_reader reader = {.conf = conf, .path = path, .info = info};
	int line;

	reader.file = fopen(path, "re");
	if (!reader.file)
		return err_set(info, ERR_CONFIG, "%s: %s.", path, strerror(errno));
	line = ini_parse_stream(conf_read_line, &reader, conf_handle, &reader);
	if (ferror(reader.file) && reader.err == ERR_OK)
		reader.err = err_set(info, ERR_CONFIG, "%s: %s.", path, strerror(errno));
	fclose(reader.file);
	if (line != 0 && (reader.err == ERR_OK || line < reader.line))
		return err_set(info, ERR_CONFIG,
			"%s line %d: expected `[section]` or `key = value`.", path, line);
	return reader.err;
}

static enum err conf_read_environment(struct conf *conf, struct err_info *info)
{
	const struct conf_setting *setting;
	enum err err = ERR_OK;
	const char *value;
	char name[128], *c;

	for (setting = conf_settings; err == ERR_OK && setting < conf_settings + CONF_COUNT;
		setting++) {
		snprintf(name, sizeof(name), "MEETLINK_%s_%s", setting->section, setting->key);
		for (c = name; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		value = getenv(name);
		if (value)
			err = conf_set(conf, setting, value, name, info);
	}
	return err;
}

enum err conf_load(const char *path, struct conf **conf_r, struct err_info *info)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));
	enum err err = ERR_OK;
	int i;

	for (i = 0; i < CONF_COUNT; i++) {
		if (conf_settings[i].text)
			*(char **)((char *)conf + conf_settings[i].offset) =
				xstrdup(conf_settings[i].text);
		else
			*(int64_t *)((char *)conf + conf_settings[i].offset) =
				conf_settings[i].number;
	}
	if (path)
		err = conf_read_file(conf, path, info);
	if (err == ERR_OK)
		err = conf_read_environment(conf, info);
	if (err != ERR_OK)
		conf_free(&conf);
	*conf_r = conf;
	return err;
}

void conf_free(struct conf **conf)
{
	int i;

	if (!*conf)
		return;
	for (i = 0; i < CONF_COUNT; i++)
		if (conf_settings[i].text)
			free(*(char **)((char *)*conf + conf_settings[i].offset));
	free(*conf);
	*conf = NULL;
}

char *conf_request_url(const struct conf *conf, struct arena *arena, const char *request_id)
{
	const char *url = conf->public_request_url;
	const char *id = strstr(url, CONF_REQUEST_ID);

	return id ? arena_printf(arena, "%.*s%s%s", (int)(id - url), url, request_id,
			    id + strlen(CONF_REQUEST_ID))
		  : NULL;
}

void conf_print_settings(FILE *out)
{
	const struct conf_setting *setting;
	const char *section = "";

	for (setting = conf_settings; setting < conf_settings + CONF_COUNT; setting++) {
		if (strcmp(section, setting->section) != 0)
			fprintf(out, "%s[%s]\n", *section ? "\n" : "", setting->section);
		section = setting->section;
		fprintf(out, "; %s\n", setting->help);
		if (setting->text)
			fprintf(out, "%s = %s\n", setting->key, setting->text);
		else
			fprintf(out, "%s = %" PRId64 "\n", setting->key, setting->number);
	}
}
