#include "mail_read.h"

#include <libetpan/libetpan.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

enum {
	READ_MAX_HEAD = 256 * 1024,
	READ_MAX_PART = 256 * 1024, /* of what is decoded */
	READ_MAX_DEPTH = 50,        /* of parts in parts */
	READ_MAX_COMMENTS = 200,    /* in comments */
	READ_MAX_LINES = 2000,      /* that may be between parts */
	READ_MAX_TEXT = 300,        /* characters of a subject */
};

static enum err read_refuse(struct err_info *info, const char *why)
{
	return err_set(info, ERR_INVALID, "The message %s.", why);
}

/* ---- bounds ---- */

static bool read_begins(const char *at, const char *end, const char *word)
{
	const size_t len = strlen(word);

	return (size_t)(end - at) >= len && strncasecmp(at, word, len) == 0;
}

/* Whether what follows "boundary" may make it a parameter. */
static bool read_is_parameter(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n*0123456789", *at))
		at++;
	return at < end && (*at == '=' || *at == '(');
}

/* libetpan goes into parts and comments by recursion, and makes a part of each line that could
 * begin one: all three are counted, whatever stands there. No head goes on behind an empty line. */
static enum err read_check(const char *bytes, size_t len, struct err_info *info)
{
	const char *end = bytes + len, *at;
	size_t comments = 0, parts = 0, lines = 0;

	if (len > MAIL_READ_MAX)
		return err_set(
			info, ERR_TOO_LARGE, "The message is larger than %d bytes.", MAIL_READ_MAX);
	if (memchr(bytes, '\0', len))
		return read_refuse(info, "holds a NUL");
	for (at = bytes; at < end; at++) {
		if (*at == '\n' && read_begins(at + 1, end, "--"))
			lines++;
		if (*at == '\n' &&
			(read_begins(at + 1, end, "\n") || read_begins(at + 1, end, "\r\n")))
			comments = 0;
		comments += *at == '(';
		comments -= *at == ')' && comments > 0 && at[-1] != '\\';
		if ((*at | 0x20) == 'b' && read_begins(at, end, "boundary") &&
			read_is_parameter(at + strlen("boundary"), end))
			parts++;
		if ((*at | 0x20) == 'r' && read_begins(at, end, "rfc822"))
			parts++;
		if (comments > READ_MAX_COMMENTS || parts > READ_MAX_DEPTH ||
			lines > READ_MAX_LINES)
			return read_refuse(info, "is nested too deep");
	}
	return ERR_OK;
}

/* ---- fields ---- */

/* The end of a line, behind its LF. */
static const char *read_line(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));

	return lf ? lf + 1 : end;
}

static bool read_is_empty(const char *at, const char *end)
{
	return at == end || *at == '\n' || (*at == '\r' && (end - at == 1 || at[1] == '\n'));
}

/* The value of a field in one line, without blanks around it. */
static const char *read_unfolded(struct arena *arena, const char *at, const char *end)
{
	char *text, *to;

	while (at < end && strchr(" \t\r\n", *at))
		at++;
	while (end > at && strchr(" \t\r\n", end[-1]))
		end--;
	text = to = arena_strndup(arena, at, (size_t)(end - at));
	for (; at < end; at++)
		if (*at != '\r' && *at != '\n')
			*to++ = *at;
	*to = '\0';
	return text;
}

static bool read_is_of_body(const char *name)
{
	return strncasecmp(name, "Content-", strlen("Content-")) == 0 ||
	       strcasecmp(name, "MIME-Version") == 0;
}

static bool read_field(struct arena *arena, const char *at, const char *end, struct mail_read *read)
{
	const char *colon = memchr(at, ':', (size_t)(end - at)), *name_end = colon;
	struct model_pair *field;

	while (name_end && name_end > at && strchr(" \t", name_end[-1]))
		name_end--;
	if (!colon || name_end == at || memchr(at, '\n', (size_t)(name_end - at)))
		return false;
	field = model_list_add(arena, &read->fields, sizeof(*field));
	field->name = arena_strndup(arena, at, (size_t)(name_end - at));
	field->value = read_unfolded(arena, colon + 1, end);
	if (read_is_of_body(field->name))
		*(const char **)model_list_add(arena, &read->kept, sizeof(const char *)) =
			arena_strndup(arena, at, (size_t)(end - at));
	return true;
}

static enum err read_head(struct arena *arena, const char *bytes, size_t len,
	struct mail_read *read, struct err_info *info)
{
	const char *at = bytes, *end = bytes + len, *next;

	/* As mailboxes begin each message. */
	if (read_begins(at, end, "From "))
		at = read_line(at, end);
	for (; !read_is_empty(at, end); at = next) {
		next = read_line(at, end);
		while (next < end && (*next == ' ' || *next == '\t'))
			next = read_line(next, end);
		if (next - bytes > READ_MAX_HEAD)
			return read_refuse(info, "has too long a head");
		if (!read_field(arena, at, next, read))
			return read_refuse(info, "has no head");
	}
	read->body = read_line(at, end);
	read->body_len = (size_t)(end - read->body);
	return read->fields.count ? ERR_OK : read_refuse(info, "has no head");
}

const char *mail_read_field(const struct mail_read *read, const char *name)
{
	MODEL_FOREACH (&read->fields, struct model_pair, field) {
		if (strcasecmp(field->name, name) == 0)
			return field->value;
	}
	return NULL;
}

/* What may be written, and no more of it than `most` characters; the rest becomes blanks. */
static const char *read_clean(struct arena *arena, const char *text, size_t most)
{
	char *clean = arena_alloc(arena, strlen(text) + 1), *to = clean;
	const char *end = text + strlen(text);
	uint32_t point;
	size_t len;
	char one[5];

	for (; text < end && most > 0; text += len ? len : 1, most--) {
		len = utf8_next(text, (size_t)(end - text), &point);
		memcpy(one, text, len);
		one[len] = '\0';
		if (!len || utf8_refusal(one, false)) {
			*to++ = ' ';
			continue;
		}
		memcpy(to, one, len);
		to += len;
	}
	*to = '\0';
	return clean;
}

const char *mail_read_text(struct arena *arena, const struct mail_read *read, const char *name)
{
	const char *value = mail_read_field(read, name), *text;
	char *decoded = NULL;
	size_t index = 0;

	if (!value || !value[0])
		return "";
	if (mailmime_encoded_phrase_parse(
		    "utf-8", value, strlen(value), &index, "utf-8", &decoded) != MAILIMF_NO_ERROR)
		decoded = NULL;
	text = read_clean(arena, decoded ? decoded : value, READ_MAX_TEXT);
	free(decoded);
	return text;
}

/* ---- parts ---- */

struct read_parts {
	struct arena *arena;
	struct mail_read *read;
};

static const char *read_to_utf8(
	struct arena *arena, struct mailmime_content *content, const char *bytes, size_t len)
{
	char *charset = content ? mailmime_content_charset_get(content) : NULL, *converted = NULL;
	const char *text = NULL;

	if (utf8_valid(bytes, len, NULL))
		text = arena_strndup(arena, bytes, len);
	else if (charset &&
		 charconv("utf-8", charset, bytes, len, &converted) == MAIL_CHARCONV_NO_ERROR)
		text = arena_strdup(arena, converted);
	free(converted);
	return text && utf8_valid(text, strlen(text), NULL) ? text : NULL;
}

static const char *read_decoded(struct arena *arena, const struct mailmime *part)
{
	const struct mailmime_data *data = part->mm_data.mm_single;
	const char *text = NULL;
	size_t index = 0, len;
	char *decoded;

	if (!data || data->dt_type != MAILMIME_DATA_TEXT ||
		data->dt_data.dt_text.dt_length > READ_MAX_PART ||
		mailmime_part_parse(data->dt_data.dt_text.dt_data, data->dt_data.dt_text.dt_length,
			&index, data->dt_encoding, &decoded, &len) != MAILIMF_NO_ERROR)
		return NULL;
	if (!memchr(decoded, '\0', len))
		text = read_to_utf8(arena, part->mm_content_type, decoded, len);
	mmap_string_unref(decoded);
	return text;
}

/* As "text/calendar": the type of one part, if it is one that is read. */
static bool read_is(const struct mailmime_content *content, int discrete, const char *subtype)
{
	const struct mailmime_type *type = content->ct_type;

	if (strcasecmp(content->ct_subtype, subtype) != 0)
		return false;
	if (type->tp_type == MAILMIME_TYPE_DISCRETE_TYPE)
		return type->tp_data.tp_discrete_type->dt_type == discrete;
	return discrete < 0 &&
	       type->tp_data.tp_composite_type->ct_type == MAILMIME_COMPOSITE_TYPE_MESSAGE;
}

static void read_single(struct read_parts *parts, const struct mailmime *part)
{
	const struct mailmime_content *content = part->mm_content_type;
	struct mail_read *read = parts->read;

	if (!content || !content->ct_subtype)
		return;
	if (!read->calendar && (read_is(content, MAILMIME_DISCRETE_TYPE_TEXT, "calendar") ||
				       read_is(content, MAILMIME_DISCRETE_TYPE_APPLICATION, "ics")))
		read->calendar = read_decoded(parts->arena, part);
	if (!read->status && (read_is(content, -1, "delivery-status") ||
				     read_is(content, -1, "global-delivery-status")))
		read->status = read_decoded(parts->arena, part);
}

/* Messages in the message are others'. */
static void read_part(struct read_parts *parts, const struct mailmime *part)
{
	clistiter *at;

	if (part->mm_type == MAILMIME_SINGLE)
		read_single(parts, part);
	if (part->mm_type != MAILMIME_MULTIPLE)
		return;
	for (at = clist_begin(part->mm_data.mm_multipart.mm_mp_list); at; at = clist_next(at))
		read_part(parts, clist_content(at));
}

/* Whether people read it, or their calendars do. */
static bool read_is_text(const struct mailmime_content *content)
{
	const struct mailmime_type *type = content ? content->ct_type : NULL;

	return !content || !content->ct_subtype ||
	       (type->tp_type == MAILMIME_TYPE_DISCRETE_TYPE &&
		       type->tp_data.tp_discrete_type->dt_type == MAILMIME_DISCRETE_TYPE_TEXT) ||
	       read_is(content, MAILMIME_DISCRETE_TYPE_APPLICATION, "ics");
}

static void read_add_text(struct read_parts *parts, const struct mailmime_data *data)
{
	static const enum mail_encoding encodings[] = {
		[MAILMIME_MECHANISM_QUOTED_PRINTABLE] = MAIL_QUOTED_PRINTABLE,
		[MAILMIME_MECHANISM_BASE64] = MAIL_BASE64,
	};
	const size_t known = sizeof(encodings) / sizeof(encodings[0]);
	const char *at = data->dt_type == MAILMIME_DATA_TEXT ? data->dt_data.dt_text.dt_data : NULL;
	const size_t len =
		data->dt_type == MAILMIME_DATA_TEXT ? data->dt_data.dt_text.dt_length : 0;
	const struct mail_read *read = parts->read;
	struct mail_text *text;

	if (!at || at < read->body || len > read->body_len ||
		(size_t)(at - read->body) > read->body_len - len)
		return;
	text = model_list_add(parts->arena, &parts->read->texts, sizeof(*text));
	*text = (struct mail_text){.at = (size_t)(at - read->body), .len = len};
	if (data->dt_encoding >= 0 && (size_t)data->dt_encoding < known)
		text->encoding = encodings[data->dt_encoding];
}

static void read_texts(struct read_parts *parts, const struct mailmime *part)
{
	clistiter *at;

	if (part->mm_type == MAILMIME_MESSAGE && part->mm_data.mm_message.mm_msg_mime)
		read_texts(parts, part->mm_data.mm_message.mm_msg_mime);
	if (part->mm_type == MAILMIME_SINGLE && part->mm_data.mm_single &&
		read_is_text(part->mm_content_type))
		read_add_text(parts, part->mm_data.mm_single);
	if (part->mm_type != MAILMIME_MULTIPLE)
		return;
	for (at = clist_begin(part->mm_data.mm_multipart.mm_mp_list); at; at = clist_next(at))
		read_texts(parts, clist_content(at));
}

enum err mail_read(struct arena *arena, const char *bytes, size_t len, struct mail_read *read_r,
	struct err_info *info)
{
	struct read_parts parts = {.arena = arena, .read = read_r};
	struct mailmime *message;
	size_t index = 0;
	enum err err;

	*read_r = (struct mail_read){0};
	err = read_check(bytes, len, info);
	if (err == ERR_OK)
		err = read_head(arena, bytes, len, read_r, info);
	if (err != ERR_OK)
		return err;
	if (read_begins(bytes, bytes + len, "From "))
		index = (size_t)(read_line(bytes, bytes + len) - bytes);
	if (mailmime_parse(bytes, len, &index, &message) != MAILIMF_NO_ERROR)
		return read_refuse(info, "is not one of MIME");
	if (message->mm_type == MAILMIME_MESSAGE && message->mm_data.mm_message.mm_msg_mime)
		read_part(&parts, message->mm_data.mm_message.mm_msg_mime);
	read_texts(&parts, message);
	mailmime_free(message);
	return ERR_OK;
}

/* ---- what it means ---- */

/* Fields of programs: whatever they say, or, with a value, when they begin with that. */
static const struct {
	const char *name, *value;
} read_automatic[] = {
	{"List-Id", NULL},
	{"List-Unsubscribe", NULL},
	{"Precedence", "bulk"},
	{"Precedence", "junk"},
	{"Precedence", "list"},
	{"Precedence", "auto_reply"},
	{"Return-Path", "<>"},
	{"X-Auto-Reply-From", NULL},
	{"X-Autogenerated", NULL},
	{"X-Autoreply", NULL},
	{"X-Autorespond", NULL},
	{"X-Failed-Recipients", NULL},
	{"X-MS-Exchange-Generated-Message-Source", NULL},
	{"X-MS-Exchange-Inbox-Rules-Loop", NULL},
};

bool mail_read_is_automatic(const struct mail_read *read)
{
	const char *submitted = mail_read_field(read, "Auto-Submitted"), *value;
	size_t i;

	if (submitted && strncasecmp(submitted, "no", 2) != 0)
		return true;
	for (i = 0; i < sizeof(read_automatic) / sizeof(read_automatic[0]); i++) {
		value = mail_read_field(read, read_automatic[i].name);
		if (value &&
			(!read_automatic[i].value || strncasecmp(value, read_automatic[i].value,
							     strlen(read_automatic[i].value)) == 0))
			return true;
	}
	return false;
}

/* The value of a field of a report, in the block that begins at `at`. */
static const char *read_report_field(
	struct arena *arena, const char *at, const char *end, const char *name)
{
	const char *next;

	for (; at < end; at = next) {
		next = read_line(at, end);
		if (read_begins(at, next, name))
			return read_unfolded(arena, at + strlen(name), next);
	}
	return NULL;
}

/* "5.1.1" out of "5.1.1 (unknown user)"; "5.0.0" where there is none. */
static const char *read_status(struct arena *arena, const char *value)
{
	const size_t len = value ? strspn(value, "0123456789.") : 0;

	return len >= strlen("5.0.0") && len < 16 ? arena_strndup(arena, value, len) : "5.0.0";
}

const char *mail_read_failure(struct arena *arena, const struct mail_read *read)
{
	const char *at = read->status, *end = at ? at + strlen(at) : at, *block, *action;

	while (at < end) {
		for (block = at; at < end && !read_is_empty(at, end);)
			at = read_line(at, end);
		action = read_report_field(arena, block, at, "Action:");
		if (action && strncasecmp(action, "failed", strlen("failed")) == 0)
			return read_status(arena, read_report_field(arena, block, at, "Status:"));
		at = read_line(at, end);
	}
	return NULL;
}
