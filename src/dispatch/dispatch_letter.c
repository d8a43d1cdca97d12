/* mail.letter: what the other person has written, which is stored by itself until it has left. */
#include <string.h>

#include "dispatch_private.h"
#include "log.h"
#include "mail_letter.h"
#include "news.h"
#include "store_letter.h"

/* What has left is removed at once: where it is not there any more, it has left before. */
static enum err letter_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	const struct dispatch *dispatch = work->performer->dispatch;
	const struct mail *mail = work->effect->mail;
	const enum party party = (enum party)mail->party;
	struct mail_message message = {
		.to.email = work->request->side[party].person->email,
		.sender = dispatch_own_address(dispatch, work->arena, work->request, party),
	};
	struct letter *letter;
	struct err_info left;
	struct buf buf;
	enum err err;

	(void)result_r;
	err = store_letter_load(dispatch->store, work->arena, mail->letter, &letter, info);
	if (err == ERR_NOT_FOUND) {
		err_clear(info);
		return ERR_OK;
	}
	if (err != ERR_OK)
		return err;
	message.message_id =
		mail_letter_message_id(work->arena, mail->letter, dispatch->mail_from.email);
	buf_init(&buf, strlen(letter->message));
	buf_add_text(&buf, letter->message);
	err = dispatch_mail_deliver(dispatch, work->performer->transport, &message, &buf, info);
	buf_fini(&buf);
	if (err == ERR_OK && store_letter_remove(dispatch->store, mail->letter, &left) != ERR_OK)
		log_warning("request %s: a letter that has left is still stored: %s",
			work->request->id, left.detail);
	return err;
}

static void letter_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	(void)result;
	news_settled(cause, request, effect, outcome);
}

const struct dispatch_effect dispatch_letter = {
	.config = CONFIG_UNUSED, .perform = letter_perform, .settle = letter_settle};
