#ifndef HANDLER_PAGE_H
#define HANDLER_PAGE_H
/* A person's page of a request, GET and POST /m/{token}: what is shown, and what may be done. */
#include "handler.h"

#define PAGE_FILE "page.html"

/* A page that is being answered. */
struct page {
	struct http_exchange *exchange;
	struct service_page opened;
	struct person reader; /* in the visitor's language */
	const char *token;
	bool person; /* else a program: it is shown no way in, and no forms */
};

/* What somebody typed. */
struct page_form {
	const char *token, *words, *when, *minutes;
	bool overlap;
	int64_t starts_at, duration_minutes; /* as read; 0: not given */
};

/* `timed`: its form asks for a time. */
struct page_act {
	const char *name; /* in the query, and of the template's section */
	enum command command;
	void *(*read)(struct arena *arena, const struct page_form *form, int what);
	int what;
	bool timed;
};

extern const struct page_act handler_page_acts[];
extern const size_t handler_page_act_count;

/* Whether the page's person may do that now; ERR_FORBIDDEN: it is the other person's to do. */
enum err handler_page_check_act(const struct page *page, const struct page_act *act);

/* Whether there is a form for it. */
bool handler_page_may(const struct page *page, const struct page_act *act);

/* Replies with the form of an act, and what was typed, if anything was; NULL: with the page itself.
 * `wrong`: the template's section that says why an act was refused; or NULL. A page loads itself
 * again, a form never does. */
enum err handler_page_reply(const struct page *page, int status, const struct page_act *act,
	const struct page_form *typed, const char *wrong, struct err_info *info);
#endif
