#include "json.h"

#include <json-c/json.h>
#include <string.h>

#include "utf8.h"

enum { JSON_DEPTH = 16 };

static void json_release(void *handle)
{
	json_object_put(handle);
}

/*
 * json-c keeps the last of two equal keys without a word. A key's name is followed by a colon
 * outside of strings, so the colons of the text count every member that was written.
 */
static size_t json_count_written(const char *bytes, size_t len)
{
	size_t i, count = 0;
	bool quoted = false;

	for (i = 0; i < len; i++) {
		if (quoted && bytes[i] == '\\')
			i++;
		else if (bytes[i] == '"')
			quoted = !quoted;
		else if (!quoted && bytes[i] == ':')
			count++;
	}
	return count;
}

static size_t json_count_kept(struct json_object *json)
{
	size_t i, count = 0;

	if (json_object_is_type(json, json_type_object)) {
		json_object_object_foreach(json, key, value)
		{
			(void)key;
			count += 1 + json_count_kept(value);
		}
	} else if (json_object_is_type(json, json_type_array)) {
		for (i = 0; i < json_object_array_length(json); i++)
			count += json_count_kept(json_object_array_get_idx(json, i));
	}
	return count;
}

enum err json_parse(struct arena *arena, const char *bytes, size_t len,
	struct json_object **json_r, struct err_info *info)
{
	struct json_tokener *tokener;
	struct json_object *json;
	enum json_tokener_error error;

	*json_r = NULL;
	if (!utf8_valid(bytes, len, NULL))
		return err_set(info, ERR_MALFORMED, "The body is not valid UTF-8.");
	if (memchr(bytes, '\0', len))
		return err_set(info, ERR_MALFORMED, "The body contains a NUL byte.");
	tokener = json_tokener_new_ex(JSON_DEPTH);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL behind the bytes tells the tokener that a number at the end is complete. */
	json = json_tokener_parse_ex(tokener, bytes, (int)len + 1);
	error = json_tokener_get_error(tokener);
	if (error == json_tokener_success && json_tokener_get_parse_end(tokener) < len &&
		strspn(bytes + json_tokener_get_parse_end(tokener), " \t\r\n") !=
			len - json_tokener_get_parse_end(tokener)) {
		json_object_put(json);
		json_tokener_free(tokener);
		return err_set(info, ERR_MALFORMED, "There are bytes after the JSON value.");
	}
	json_tokener_free(tokener);
	if (error != json_tokener_success) {
		json_object_put(json);
		return err_set(info, ERR_MALFORMED, "The body is not JSON: %s.",
			error == json_tokener_continue ? "it ends too early"
						       : json_tokener_error_desc(error));
	}
	if (json)
		arena_defer(arena, json_release, json);
	if (json_count_written(bytes, len) != json_count_kept(json))
		return err_set(info, ERR_MALFORMED, "A field is given twice.");
	*json_r = json;
	return ERR_OK;
}
