#include "tmpl_private.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "xalloc.h"

struct tmpl_set *tmpl_set_new(void)
{
	struct tmpl_set *set = xcalloc(1, sizeof(*set));

	set->arena = arena_new();
	return set;
}

void tmpl_set_free(struct tmpl_set **set)
{
	struct tmpl *tmpl;

	if (!*set)
		return;
	for (tmpl = (*set)->first; tmpl; tmpl = tmpl->next)
		free(tmpl->nodes);
	arena_free(&(*set)->arena);
	free(*set);
	*set = NULL;
}

const struct tmpl *tmpl_set_get(const struct tmpl_set *set, const char *name, size_t len)
{
	const struct tmpl *tmpl;

	for (tmpl = set->first; tmpl; tmpl = tmpl->next)
		if (tmpl->name_len == len && memcmp(tmpl->name, name, len) == 0)
			break;
	return tmpl;
}

bool tmpl_set_has(const struct tmpl_set *set, const char *name)
{
	return tmpl_set_get(set, name, strlen(name)) != NULL;
}

/* In any order, since folders are read in any. */
void tmpl_set_digest(const struct tmpl_set *set, char digest_r[HASH_SIZE])
{
	unsigned char sum[HASH_SIZE] = {0};
	const struct tmpl *tmpl;
	char hash[HASH_SIZE];
	size_t i;

	for (tmpl = set->first; tmpl; tmpl = tmpl->next) {
		hash_texts(hash, tmpl->name, tmpl->text, NULL);
		for (i = 0; i < HASH_SIZE; i++)
			sum[i] ^= (unsigned char)hash[i];
	}
	hash_hex(sum, sizeof(sum), digest_r);
}

const char *tmpl_set_find(const struct tmpl_set *set, const char *name)
{
	const struct tmpl *tmpl;

	for (tmpl = set->first; tmpl; tmpl = tmpl->next)
		if (strcasecmp(tmpl->name, name) == 0)
			return tmpl->name;
	return NULL;
}

void tmpl_set_match(const struct tmpl_set *set, const char *pattern,
	void (*found)(void *data, const char *name), void *data)
{
	const struct tmpl *tmpl;

	for (tmpl = set->first; tmpl; tmpl = tmpl->next)
		if (fnmatch(pattern, tmpl->name, FNM_PATHNAME) == 0)
			found(data, tmpl->name);
}

enum err tmpl_set_add(struct tmpl_set *set, const char *name, enum tmpl_kind kind, const char *text,
	struct err_info *info)
{
	struct tmpl *tmpl = arena_alloc(set->arena, sizeof(*tmpl));
	enum err err;

	if (tmpl_set_has(set, name))
		return err_set(info, ERR_CONFIG, "%s: there are two templates of this name.", name);
	tmpl->name = arena_strdup(set->arena, name);
	tmpl->name_len = strlen(name);
	tmpl->kind = kind;
	tmpl->text = arena_strdup(set->arena, text);
	tmpl->len = strlen(text);
	/* The newline that ends the file is not the header's. */
	while (kind == TMPL_HEADER && tmpl->len && strchr("\r\n", text[tmpl->len - 1]))
		tmpl->len--;
	err = tmpl_parse(tmpl, set->arena, info);
	if (err) {
		free(tmpl->nodes);
		return err;
	}
	tmpl->next = set->first;
	set->first = tmpl;
	return ERR_OK;
}

static enum tmpl_kind tmpl_kind_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot && strcmp(dot, ".html") == 0)
		return TMPL_HTML;
	if (dot && strcmp(dot, ".ics") == 0)
		return TMPL_ICAL;
	if (dot && strcmp(dot, ".subject") == 0)
		return TMPL_HEADER;
	return TMPL_TEXT;
}

struct tmpl_loader {
	struct tmpl_set *set;
	char path[PATH_MAX];
	size_t root_len; /* the name of what `path` leads to begins behind it and a slash */
	int depth;
};

static enum err tmpl_load_file(struct tmpl_loader *loader, struct err_info *info)
{
	const char *name = loader->path + loader->root_len + 1;
	char *text = xmalloc(TMPL_MAX_FILE + 1);
	FILE *file = fopen(loader->path, "re");
	enum err err = ERR_OK;
	size_t len = 0;

	if (file)
		len = fread(text, 1, TMPL_MAX_FILE + 1, file);
	if (!file || ferror(file)) {
		err = err_set(info, ERR_CONFIG, "%s: %s.", loader->path, strerror(errno));
		goto out;
	}
	if (len > TMPL_MAX_FILE) {
		err = err_set(info, ERR_CONFIG, "%s: a template has at most %d bytes.",
			loader->path, TMPL_MAX_FILE);
		goto out;
	}
	text[len] = '\0';
	if (strlen(text) != len) {
		err = err_set(info, ERR_CONFIG, "%s: this file has a NUL byte.", loader->path);
		goto out;
	}
	err = tmpl_set_add(loader->set, name, tmpl_kind_of(name), text, info);
out:
	if (file)
		fclose(file);
	free(text);
	return err;
}

static enum err tmpl_load_folder(struct tmpl_loader *loader, struct err_info *info);

static enum err tmpl_load_entry(struct tmpl_loader *loader, struct err_info *info)
{
	struct stat st;

	if (stat(loader->path, &st) != 0)
		return err_set(info, ERR_CONFIG, "%s: %s.", loader->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return tmpl_load_folder(loader, info);
	return S_ISREG(st.st_mode) ? tmpl_load_file(loader, info) : ERR_OK;
}

static int tmpl_is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static enum err tmpl_load_folder(struct tmpl_loader *loader, struct err_info *info)
{
	size_t len = strlen(loader->path), left = sizeof(loader->path) - len;
	struct dirent **entries;
	enum err err = ERR_OK;
	int i, count;

	if (loader->depth == TMPL_MAX_FOLDERS)
		return err_set(info, ERR_CONFIG, "%s: folders nest deeper than %d.", loader->path,
			TMPL_MAX_FOLDERS);
	count = scandir(loader->path, &entries, tmpl_is_shown, alphasort);
	if (count < 0)
		return err_set(info, ERR_CONFIG, "%s: %s.", loader->path, strerror(errno));
	loader->depth++;
	for (i = 0; i < count; i++) {
		if (!err &&
			snprintf(loader->path + len, left, "/%s", entries[i]->d_name) >= (int)left)
			err = err_set(info, ERR_CONFIG, "%s: the path is too long.", loader->path);
		else if (!err)
			err = tmpl_load_entry(loader, info);
		free(entries[i]);
	}
	loader->path[len] = '\0';
	loader->depth--;
	free(entries);
	return err;
}

static enum err tmpl_check_partials(const struct tmpl_set *set, struct err_info *info)
{
	const struct tmpl_node *node;
	const struct tmpl *tmpl;
	size_t i;

	for (tmpl = set->first; tmpl; tmpl = tmpl->next)
		for (i = 0; i < tmpl->count; i++) {
			node = &tmpl->nodes[i];
			if (node->type == TMPL_NODE_PARTIAL &&
				!tmpl_set_get(set, node->text, node->len))
				return err_set(info, ERR_CONFIG,
					"%s line %zu: there is no partial %.*s.", tmpl->name,
					tmpl_line(tmpl, node->text), (int)node->len, node->text);
		}
	return ERR_OK;
}

enum err tmpl_set_load(struct tmpl_set *set, const char *root, struct err_info *info)
{
	struct tmpl_loader loader = {.set = set, .root_len = strlen(root)};
	enum err err;

	if (loader.root_len >= sizeof(loader.path))
		return err_set(info, ERR_CONFIG, "%s: the path is too long.", root);
	memcpy(loader.path, root, loader.root_len);
	err = tmpl_load_folder(&loader, info);
	return err ? err : tmpl_check_partials(set, info);
}
