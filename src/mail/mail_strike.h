#ifndef MAIL_STRIKE_H
#define MAIL_STRIKE_H
/*
 * What is quoted of a mail of ours holds links that are its reader's own: whoever has them is that
 * person to us. They are struck out of what is passed on.
 */
#include "mail_read.h"
#include "secret.h"

/* Puts asterisks in the place of every token of a link of ours (gate.h) in the texts and calendars
 * of a message, however they are encoded and wherever their lines are broken; nothing else changes,
 * not even the length. Texts in other charsets than of ASCII's kind are left alone, and so is what
 * is attached as anything else. read->body becomes a copy in the arena. */
void mail_strike_links(struct arena *arena, const struct secret_ring *ring, struct mail_read *read);
#endif
