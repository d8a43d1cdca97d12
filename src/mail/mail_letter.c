#include "mail_letter.h"

#include <string.h>

#include "mail_private.h"

const char *mail_letter_message_id(struct arena *arena, const char *id, const char *from)
{
	return arena_printf(arena, "%s.letter@%s", id, strchr(from, '@') + 1);
}

/* With CRLF at the end of every line, whatever ended it. */
static void letter_add_lines(struct buf *out, const char *bytes, size_t len)
{
	const char *end = bytes + len, *stop;

	while (bytes < end) {
		for (stop = bytes; stop < end && *stop != '\r' && *stop != '\n';)
			stop++;
		buf_add(out, bytes, (size_t)(stop - bytes));
		buf_add_text(out, "\r\n");
		if (end - stop > 1 && stop[0] == '\r' && stop[1] == '\n')
			stop++;
		bytes = stop + 1;
	}
}

enum err mail_letter_compose(const struct mail_message *head, const struct mail_read *read,
	struct buf *out, struct err_info *info)
{
	enum err err = mail_head_write(head, out, info);

	if (err != ERR_OK)
		return err;
	buf_add_text(out, MAIL_HOP_HEADER ": 1\r\n");
	MODEL_FOREACH (&read->kept, const char *, field) {
		letter_add_lines(out, *field, strlen(*field));
	}
	buf_add_text(out, "\r\n");
	letter_add_lines(out, read->body, read->body_len);
	return !out->overflow
		       ? ERR_OK
		       : err_set(info, ERR_TOO_LARGE, "The message is too large to be passed on.");
}
