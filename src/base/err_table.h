/*
 * THE ERROR TABLE. One row an error: name, word in `code`, HTTP status, retryable, log level,
 * title. Handlers, dispatcher and logs all read it, so they cannot disagree (API.md,
 * "Conventions").
 *
 * ERR(name, code, status, retryable, level, title)
 */
ERR(OK, "ok", 200, 0, DEBUG, "Done")
ERR(MALFORMED, "malformed", 400, 0, INFO, "The request could not be read")
ERR(UNAUTHENTICATED, "unauthenticated", 401, 0, INFO, "A valid bearer token is needed")
ERR(FORBIDDEN, "forbidden", 403, 0, INFO, "This is not allowed for your role")
ERR(NOT_FOUND, "not_found", 404, 0, INFO, "There is nothing here, or it is not yours")
ERR(NO_MEETING, "no_meeting", 404, 0, INFO, "This request has no meeting")
ERR(METHOD_NOT_ALLOWED, "method_not_allowed", 405, 0, INFO, "This method is not allowed here")
ERR(NOT_ACCEPTABLE, "not_acceptable", 406, 0, INFO, "No acceptable representation")
ERR(CONFLICT, "conflict", 409, 1, INFO, "The request was changed by somebody else")
ERR(ALREADY_DECIDED, "already_decided", 409, 0, INFO, "The request has already been decided")
ERR(ALREADY_CANCELLED, "already_cancelled", 409, 0, INFO, "The request has already been cancelled")
ERR(MEETING_OVER, "meeting_over", 409, 0, INFO, "The meeting is already over")
ERR(STARTS_IN_PAST, "starts_in_past", 409, 0, INFO, "The requested time has already passed")
ERR(PRECONDITION_FAILED, "precondition_failed", 412, 0, INFO, "The resource has changed")
ERR(TOO_LARGE, "too_large", 413, 0, INFO, "The request body is too large")
ERR(UNSUPPORTED_MEDIA, "unsupported_media_type", 415, 0, INFO, "The body must be application/json")
ERR(INVALID, "invalid", 422, 0, INFO, "A field is not valid")
ERR(KEY_REUSED, "idempotency_key_reused", 422, 0, INFO, "The idempotency key was used before")
ERR(INTERNAL, "internal", 500, 0, ERROR, "Something went wrong on our side")
ERR(UNREADABLE, "unreadable", 500, 0, ERROR, "Something stored cannot be read")
ERR(DATABASE_AWAY, "database_unavailable", 503, 1, WARNING, "The database cannot be reached")
ERR(OVERLOADED, "overloaded", 503, 1, WARNING, "The service is overloaded")
/* Never shown as an HTTP answer of their own: outcomes of effects and of start-up. */
ERR(TEMPORARY, "temporary", 503, 1, WARNING, "A service we depend on did not answer")
ERR(PERMANENT, "permanent", 502, 0, ERROR, "A service we depend on refused")
ERR(CONFIG, "config", 500, 0, ERROR, "The configuration is not valid")
