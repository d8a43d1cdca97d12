/*
 * THE FAULT POINTS: named places where a test kills the process that passes them.
 *
 * FAULT(name, place)
 */
FAULT(CREATE_BEFORE_SAVE, "create.before_save")   /* worker: request decided, not stored */
FAULT(CREATE_AFTER_SAVE, "create.after_save")     /* worker: stored, not answered */
FAULT(CHANGE_BEFORE_SAVE, "change.before_save")   /* worker: change decided, not stored */
FAULT(CHANGE_AFTER_SAVE, "change.after_save")     /* worker: stored, dispatcher not woken */
FAULT(CHANGE_BEFORE_REPLY, "change.before_reply") /* worker: dispatcher woken, not answered */
FAULT(ARCHIVE_AFTER_SAVE, "archive.after_save")   /* who changes: archived, document not stored */
FAULT(LETTER_AFTER_SAVE, "letter.after_save")     /* receive: a letter stored, not yet owed */
FAULT(CLAIM_BEFORE_SAVE, "claim.before_save")     /* dispatcher: lease decided, not stored */
FAULT(CLAIM_AFTER_SAVE, "claim.after_save")       /* dispatcher: lease stored, nothing done */
FAULT(EFFECT_BEFORE, "effect.before")             /* who performs: about to */
FAULT(EFFECT_AFTER, "effect.after")               /* who performs: done, not settled */
FAULT(SETTLE_BEFORE_SAVE, "settle.before_save")   /* who performs: outcome decided, not stored */
FAULT(SETTLE_AFTER_SAVE, "settle.after_save")     /* who performs: settled */
FAULT(DELIVERY_BEFORE, "delivery.before")         /* dispatcher: about to tell a subscriber */
FAULT(DELIVERY_AFTER, "delivery.after")           /* dispatcher: told, not settled */
FAULT(DELIVERY_SETTLED, "delivery.settled")       /* dispatcher: settled */
FAULT(CHORE_AFTER_SAVE, "chore.after_save")       /* worker: a chore stored, nothing done of it */
FAULT(CHORE_AFTER_STEP, "chore.after_step")       /* who does a chore: one step of it done */
FAULT(CHORE_BEFORE_FORGET, "chore.before_forget") /* who does a chore: all done, still stored */
