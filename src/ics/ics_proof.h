#ifndef ICS_PROOF_H
#define ICS_PROOF_H
/*
 * That the templates of calendars make valid ones of whatever people write. A template can only
 * choose by what an event has and has not, and no value can break a line (tmpl.h): so each choice
 * is made once here, with words that are plain and with words that mean something to iCalendar, and
 * every line that comes out is read by libical. After this nothing has to be read again.
 */
#include "err.h"
#include "tmpl.h"

/* ERR_CONFIG says which template makes what, and of what. Takes some 20 ms; not thread-safe. */
enum err ics_prove(const struct tmpl_set *templates, struct err_info *info);
#endif
