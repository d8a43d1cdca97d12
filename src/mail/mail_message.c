#include "mail_message.h"

#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cause.h"
#include "id.h"
#include "log.h"
#include "mail_private.h"
#include "utf8.h"
#include "xalloc.h"

#define MAIL_ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

enum {
	MAIL_ID_MAX = 200,
	MAIL_WORD_MAX = 60, /* leaves room for the field's name in a line of 78 */
	MAIL_BOUNDARY_HEX = 24,
};

/* libetpan fails to build a thing only when memory is gone. */
static void mail_require(bool held)
{
	if (!held) {
		log_error("out of memory");
		abort();
	}
}

static void *mail_made(void *object)
{
	mail_require(object != NULL);
	return object;
}

static clist *mail_list(void *item)
{
	clist *list = mail_made(clist_new());

	mail_require(!item || clist_append(list, item) == 0);
	return list;
}

bool mail_message_id_valid(const char *id)
{
	size_t left = strspn(id, MAIL_ALNUM "._-"), right;

	if (left == 0 || id[0] == '.' || id[left] != '@')
		return false;
	right = strspn(id + left + 1, MAIL_ALNUM "._-");
	return right > 0 && id[left + 1 + right] == '\0' && left + 1 + right <= MAIL_ID_MAX;
}

/* Whether a header value can stand as it is: ASCII words that leave folding a place to act, with
 * single blanks (libetpan writes runs as one), and nothing that reads as an encoded word. */
static bool mail_header_plain(const char *value)
{
	size_t word = 0;
	const char *p;

	if (strstr(value, "=?"))
		return false;
	for (p = value;; p++) {
		if (*p == ' ' || *p == '\0') {
			if (word == 0 || word > MAIL_WORD_MAX)
				return false;
			if (*p == '\0')
				return true;
			word = 0;
		} else if ((unsigned char)*p > '~') {
			return false;
		} else {
			word++;
		}
	}
}

/* RFC 2047 words in the Q encoding, with the alphabet that section 5 (3) allows in a phrase. A
 * word holds whole code points. The caller frees. */
static char *mail_header_words(const char *value)
{
	static const char begin[] = "=?UTF-8?Q?", end[] = "?=";
	size_t room = 0, len, need, i;
	const char *p;
	struct buf out;
	bool plain;

	buf_init(&out, 8 * strlen(value) + 64);
	for (p = value; *p; p += len) {
		for (len = 1; ((unsigned char)p[len] & 0xc0) == 0x80; len++)
			;
		plain = *p == ' ' || strchr(MAIL_ALNUM "!*+-/", *p);
		need = plain ? 1 : 3 * len;
		if (need > room) {
			buf_addf(&out, "%s%s", p == value ? "" : "?= ", begin);
			room = MAIL_WORD_MAX - strlen(begin) - strlen(end);
		}
		room -= need;
		for (i = 0; !plain && i < len; i++)
			buf_addf(&out, "=%02X", (unsigned char)p[i]);
		if (plain)
			buf_add_char(&out, *p == ' ' ? '_' : *p);
	}
	if (out.len > 0)
		buf_add_text(&out, end);
	return out.bytes;
}

static char *mail_subject(const char *subject)
{
	return mail_header_plain(subject) ? xstrdup(subject) : mail_header_words(subject);
}

/* A name without what nobody may write (utf8_forbidden()): it would turn the address behind it
 * around. The caller frees. */
static char *mail_name(const char *name)
{
	char *clean = xmalloc(strlen(name) + 1), *out = clean;
	size_t skip;

	for (; *name; name += skip ? skip : 1) {
		skip = utf8_forbidden(name);
		if (!skip)
			*out++ = *name;
	}
	*out = '\0';
	return clean;
}

/* libetpan puts a plain name with specials in quotes, but never folds inside them. */
static struct mailimf_mailbox *mail_mailbox(const struct mail_address *address)
{
	char email[MAIL_EMAIL_SIZE], *name = mail_name(address->name ? address->name : ""), *words;

	mail_email_to_ascii(address->email, email);
	if (strlen(name) > MAIL_WORD_MAX || (name[0] && !mail_header_plain(name))) {
		words = mail_header_words(name);
		free(name);
		name = words;
	} else if (!name[0]) {
		free(name);
		name = NULL;
	}
	return mail_made(mailimf_mailbox_new(name, xstrdup(email)));
}

static struct mailimf_address_list *mail_address_list(const struct mail_address *address)
{
	return mail_made(mailimf_address_list_new(mail_list(mail_made(
		mailimf_address_new(MAILIMF_ADDRESS_MAILBOX, mail_mailbox(address), NULL)))));
}

static struct mailimf_date_time *mail_date(int64_t date)
{
	time_t seconds = (time_t)(date / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return mail_made(mailimf_date_time_new(
		tm.tm_mday, tm.tm_mon + 1, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, 0));
}

static void mail_field_add(struct mailimf_fields *fields, const char *name, char *value)
{
	mail_require(mailimf_fields_add(fields, mail_made(mailimf_field_new_custom(xstrdup(name),
							value))) == MAILIMF_NO_ERROR);
}

/* The sender's address names the stream of mails that it sends (RFC 2919 section 2: the phrase may
 * be left out), by which people may sort them. The caller frees. */
static char *mail_list_id(const struct mail_address *from)
{
	char email[MAIL_EMAIL_SIZE], *id = xmalloc(MAIL_EMAIL_SIZE + 2);

	mail_email_to_ascii(from->email, email);
	*strchr(email, '@') = '.';
	snprintf(id, MAIL_EMAIL_SIZE + 2, "<%s>", email);
	return id;
}

static struct mailimf_fields *mail_fields(const struct mail_message *message)
{
	/* RFC 3834 section 5; the other is what Exchange looks at. */
	static const char *const fixed[][2] = {
		{"Auto-Submitted", "auto-generated"},
		{"X-Auto-Response-Suppress", "All"},
	};
	const char *thread = message->in_reply_to;
	struct mailimf_fields *fields;
	size_t i;

	fields = mail_made(mailimf_fields_new_with_data_all(mail_date(message->date),
		mail_made(mailimf_mailbox_list_new(mail_list(mail_mailbox(&message->from)))), NULL,
		message->reply_to.email ? mail_address_list(&message->reply_to) : NULL,
		mail_address_list(&message->to), NULL, NULL, xstrdup(message->message_id),
		thread ? mail_list(xstrdup(thread)) : NULL,
		thread ? mail_list(xstrdup(thread)) : NULL, mail_subject(message->subject)));
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		mail_field_add(fields, fixed[i][0], xstrdup(fixed[i][1]));
	mail_field_add(fields, "List-Id", mail_list_id(&message->from));
	if (message->trace_id)
		mail_field_add(fields, "X-Request-Id", xstrdup(message->trace_id));
	return fields;
}

/* The parameters are written as part of the subtype, because libetpan puts every value in quotes
 * and there are clients that look for a bare method=REQUEST. `body` is borrowed. */
static struct mailmime *mail_part(
	int type, const char *subtype, struct mailmime_fields *fields, const char *body)
{
	struct mailmime_type *discrete = mail_made(mailmime_type_new(MAILMIME_TYPE_DISCRETE_TYPE,
		mail_made(mailmime_discrete_type_new(type, NULL)), NULL));
	struct mailmime_content *content =
		mail_made(mailmime_content_new(discrete, xstrdup(subtype), mail_list(NULL)));
	struct mailmime *part = mail_made(mailmime_new_empty(content, mail_made(fields)));

	mail_require(mailmime_set_body_text(part, (char *)body, strlen(body)) == MAILIMF_NO_ERROR);
	return part;
}

static void mail_part_add(struct mailmime *parent, struct mailmime *part)
{
	mail_require(mailmime_add_part(parent, part) == MAILIMF_NO_ERROR);
}

/* The boundary follows from the message id. "=_" stands in no quoted-printable or base64 line
 * (RFC 2045 section 6.7), so it needs no search through the bodies. */
static struct mailmime *mail_multipart(const char *subtype, const char *message_id)
{
	struct mailmime_type *type = mail_made(mailmime_type_new(MAILMIME_TYPE_COMPOSITE_TYPE, NULL,
		mail_made(mailmime_composite_type_new(MAILMIME_COMPOSITE_TYPE_MULTIPART, NULL))));
	char hash[HASH_SIZE], boundary[64];
	clist *parameters;

	hash_hex(message_id, strlen(message_id), hash);
	snprintf(boundary, sizeof(boundary), "=_%s_%.*s", subtype, MAIL_BOUNDARY_HEX, hash);
	parameters =
		mail_list(mail_made(mailmime_param_new_with_data((char *)"boundary", boundary)));
	return mail_made(
		mailmime_new(MAILMIME_MULTIPLE, NULL, 0, mail_made(mailmime_fields_new_empty()),
			mail_made(mailmime_content_new(type, xstrdup(subtype), parameters)), NULL,
			NULL, NULL, mail_list(NULL), NULL, NULL));
}

static struct mailmime *mail_tree(
	const struct mail_message *message, const char *text, const char *html)
{
	struct mailmime *alternative = mail_multipart("alternative", message->message_id), *mixed;
	char invitation[64];

	mail_part_add(alternative,
		mail_part(MAILMIME_DISCRETE_TYPE_TEXT, "plain; charset=UTF-8",
			mailmime_fields_new_encoding(MAILMIME_MECHANISM_QUOTED_PRINTABLE), text));
	mail_part_add(alternative,
		mail_part(MAILMIME_DISCRETE_TYPE_TEXT, "html; charset=UTF-8",
			mailmime_fields_new_encoding(MAILMIME_MECHANISM_QUOTED_PRINTABLE), html));
	if (!message->calendar)
		return alternative;
	snprintf(invitation, sizeof(invitation),
		"calendar; method=%s; charset=UTF-8; component=VEVENT", message->calendar_method);
	mail_part_add(alternative, mail_part(MAILMIME_DISCRETE_TYPE_TEXT, invitation,
					   mailmime_fields_new_encoding(MAILMIME_MECHANISM_BASE64),
					   message->calendar));
	mixed = mail_multipart("mixed", message->message_id);
	mail_part_add(mixed, alternative);
	mail_part_add(
		mixed, mail_part(MAILMIME_DISCRETE_TYPE_APPLICATION, "ics; name=\"invite.ics\"",
			       mailmime_fields_new_filename(MAILMIME_DISPOSITION_TYPE_ATTACHMENT,
				       xstrdup("invite.ics"), MAILMIME_MECHANISM_BASE64),
			       message->calendar));
	return mixed;
}

/* Lines end with LF, the last one too, and not with blanks: libetpan's quoted-printable doubles a
 * blank before a line's end, and loses bytes after a blank and a lone CR. The caller frees. */
static char *mail_body(const char *text)
{
	char *body = xmalloc(strlen(text) + 2), *out = body;
	const char *p;

	for (p = text; *p; p++) {
		if (*p != '\r' && *p != '\n') {
			*out++ = *p;
			continue;
		}
		if (p[0] == '\r' && p[1] == '\n')
			p++;
		while (out > body && (out[-1] == ' ' || out[-1] == '\t'))
			out--;
		*out++ = '\n';
	}
	while (out > body && (out[-1] == ' ' || out[-1] == '\t'))
		out--;
	if (out > body && out[-1] != '\n')
		*out++ = '\n';
	*out = '\0';
	return body;
}

static enum err mail_check_address(
	const char *what, const struct mail_address *address, struct err_info *info)
{
	if (!mail_email_valid(address->email))
		return err_set(info, ERR_INVALID, "The address in %s is not valid.", what);
	if (address->name && (!utf8_valid(address->name, strlen(address->name), NULL) ||
				     utf8_has_control(address->name, false)))
		return err_set(info, ERR_INVALID,
			"The name in %s holds control characters or is not UTF-8.", what);
	return ERR_OK;
}

static bool mail_trace_id_valid(const char *id)
{
	const size_t len = strspn(id, MAIL_ALNUM "_-");

	return len > 0 && len < TRACE_ID_SIZE && !id[len];
}

static enum err mail_check_head(const struct mail_message *message, struct err_info *info)
{
	enum err err;

	if (!mail_message_id_valid(message->message_id) ||
		(message->in_reply_to && !mail_message_id_valid(message->in_reply_to)))
		return err_set(info, ERR_INVALID, "A message id is not valid.");
	if (message->trace_id && !mail_trace_id_valid(message->trace_id))
		return err_set(info, ERR_INVALID, "The id of the request is not valid.");
	if ((err = mail_check_address("From", &message->from, info)) != ERR_OK ||
		(err = mail_check_address("To", &message->to, info)) != ERR_OK)
		return err;
	if (message->reply_to.email &&
		(err = mail_check_address("Reply-To", &message->reply_to, info)) != ERR_OK)
		return err;
	if (!utf8_valid(message->subject, strlen(message->subject), NULL) ||
		utf8_has_control(message->subject, false))
		return err_set(
			info, ERR_INVALID, "The subject holds control characters or is not UTF-8.");
	return ERR_OK;
}

static enum err mail_check(const struct mail_message *message, struct err_info *info)
{
	const enum err err = mail_check_head(message, info);

	if (err != ERR_OK)
		return err;
	if (!utf8_valid(message->text, strlen(message->text), NULL) ||
		!utf8_valid(message->html, strlen(message->html), NULL))
		return err_set(info, ERR_INVALID, "The body of a mail is not UTF-8.");
	if (message->calendar && strcmp(message->calendar_method, "REQUEST") != 0 &&
		strcmp(message->calendar_method, "CANCEL") != 0)
		return err_set(info, ERR_INVALID, "A calendar method is REQUEST or CANCEL.");
	return ERR_OK;
}

static int mail_write(void *out, const char *bytes, size_t len)
{
	buf_add(out, bytes, len);
	return 1;
}

enum err mail_compose(const struct mail_message *message, struct buf *out, struct err_info *info)
{
	enum err err = mail_check(message, info);
	struct mailmime *root;
	char *text, *html;
	int column = 0;

	if (err != ERR_OK)
		return err;
	text = mail_body(message->text);
	html = mail_body(message->html);
	root = mail_made(mailmime_new_message_data(mail_tree(message, text, html)));
	mailmime_set_imf_fields(root, mail_fields(message));
	if (mailmime_write_driver(mail_write, out, &column, root) != MAILIMF_NO_ERROR ||
		out->overflow)
		err = err_set(info, ERR_INTERNAL, "A mail is larger than %zu bytes.", out->ceiling);
	mailmime_free(root);
	free(text);
	free(html);
	return err;
}

enum err mail_head_write(const struct mail_message *message, struct buf *out, struct err_info *info)
{
	enum err err = mail_check_head(message, info);
	struct mailimf_fields *fields;
	int column = 0;

	if (err != ERR_OK)
		return err;
	fields = mail_fields(message);
	if (mailimf_fields_write_driver(mail_write, out, &column, fields) != MAILIMF_NO_ERROR)
		err = err_set(info, ERR_INTERNAL, "The head of a mail cannot be written.");
	mailimf_fields_free(fields);
	return err;
}
