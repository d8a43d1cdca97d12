#ifndef CONF_H
#define CONF_H
/*
 * Configuration: an INI file, each value overridable by MEETLINK_<SECTION>_<KEY>.
 * Loaded once by the master before it forks, then read only.
 */
#include <stdint.h>
#include <stdio.h>

#include "arena.h"
#include "err.h"

/* What stands for the id of a request in public.request_url. */
#define CONF_REQUEST_ID "{id}"

struct conf {
#define CONF_TEXT(section, key, preset, help)          char *section##_##key;
#define CONF_INT(section, key, preset, min, max, help) int64_t section##_##key;
#include "conf_table.h"
#undef CONF_TEXT
#undef CONF_INT
};

/*
 * Reads `path` (NULL: no file), then the environment. ERR_CONFIG names the file and line, or the
 * variable, at fault: an unknown section or key, a number out of range, a value that is not UTF-8
 * or too long. In the file, ; at the start of a line or behind a space begins a comment, and a
 * line has at most 199 bytes; a value from the environment may have 4096.
 */
enum err conf_load(const char *path, struct conf **conf_r, struct err_info *info);
void conf_free(struct conf **conf);

/* Where the marketplace shows a request itself, in the arena; NULL: nowhere. Whoever comes there
 * logs in, so it is nobody's own link. */
char *conf_request_url(const struct conf *conf, struct arena *arena, const char *request_id);

/* Every setting with its default and help, as a configuration file. */
void conf_print_settings(FILE *out);
#endif
