#include "mail_strike.h"

#include <string.h>

#include "gate.h"
#include "utf8.h"

enum { STRIKE_TOKEN = GATE_TOKEN_SIZE - 1 };

struct strike {
	const struct secret_ring *ring;
	char *bytes;
	size_t len;
	bool quoted; /* printable (RFC 2045 section 6.7) */
};

/* One character of the text: where it is, and how many bytes stand for it. */
struct strike_char {
	size_t at, width;
	char c;
};

static int strike_hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

static char strike_byte(const struct strike *text, size_t at)
{
	return at < text->len ? text->bytes[at] : '\0';
}

/* A line may be broken there: by what carries it, by the fold of a calendar (RFC 5545 section 3.1),
 * or by a program that quotes. Where the text goes on; `at` itself where there is no break. */
static size_t strike_skip(const struct strike *text, size_t at)
{
	size_t next = at;
	char c;

	if (text->quoted && strike_byte(text, at) == '=' &&
		strike_hex(strike_byte(text, at + 1)) < 0)
		next++;
	while ((c = strike_byte(text, next)) == '\r' || c == '\n')
		next++;
	if (next == at)
		return at;
	while ((c = strike_byte(text, next)) == ' ' || c == '\t' || c == '>')
		next++;
	return next;
}

static struct strike_char strike_read(const struct strike *text, size_t at)
{
	const int high = strike_hex(strike_byte(text, at + 1)),
		  low = strike_hex(strike_byte(text, at + 2));

	if (text->quoted && strike_byte(text, at) == '=' && high >= 0 && low >= 0)
		return (struct strike_char){at, 3, (char)(high << 4 | low)};
	return (struct strike_char){at, 1, strike_byte(text, at)};
}

static bool strike_is_of_token(char c)
{
	return utf8_is_alnum(c) || c == '-' || c == '_';
}

static bool strike_is_token(const struct secret_ring *ring, const char *token)
{
	struct gate_pass pass;

	return gate_token_read(ring, GATE_PAGE, token, &pass) ||
	       gate_token_read(ring, GATE_JOIN, token, &pass) ||
	       gate_token_read(ring, GATE_CALENDAR, token, &pass);
}

/* Whether a token began there, which is struck now. */
static bool strike_token(struct strike *text, size_t at)
{
	struct strike_char chars[STRIKE_TOKEN];
	char token[GATE_TOKEN_SIZE];
	size_t i;

	for (i = 0; i < STRIKE_TOKEN; i++) {
		at = strike_skip(text, at);
		chars[i] = strike_read(text, at);
		token[i] = chars[i].c;
		if (!strike_is_of_token(token[i]))
			return false;
		at += chars[i].width;
	}
	token[STRIKE_TOKEN] = '\0';
	if (!strike_is_token(text->ring, token))
		return false;
	for (i = 0; i < STRIKE_TOKEN; i++)
		memcpy(text->bytes + chars[i].at, chars[i].width == 1 ? "*" : "=2A",
			chars[i].width);
	return true;
}

/* Behind each slash, as it is or as it stands in a parameter of somebody else's link. */
static bool strike_text(struct strike *text)
{
	char before[2] = "";
	struct strike_char one;
	bool struck = false;
	size_t at = 0;

	while ((at = strike_skip(text, at)) < text->len) {
		one = strike_read(text, at);
		at += one.width;
		if (one.c == '/' ||
			((one.c == 'F' || one.c == 'f') && before[0] == '%' && before[1] == '2'))
			struck |= strike_token(text, at);
		before[0] = before[1];
		before[1] = one.c;
	}
	return struck;
}

/* ---- base64 ---- */

static const char strike_base64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int strike_sextet(char c)
{
	const char *digit = c ? strchr(strike_base64, c) : NULL;

	return digit ? (int)(digit - strike_base64) : -1;
}

/* The text that it stands for, and back: six bits a digit, whatever lies between them. */
static void strike_encoded(struct arena *arena, const struct strike *encoded)
{
	struct strike text = {
		.ring = encoded->ring, .bytes = arena_alloc(arena, encoded->len * 3 / 4 + 2)};
	unsigned char *bytes = (unsigned char *)text.bytes;
	size_t i, bit = 0;
	int sextet;

	memset(bytes, 0, encoded->len * 3 / 4 + 2);
	for (i = 0; i < encoded->len && encoded->bytes[i] != '='; i++) {
		sextet = strike_sextet(encoded->bytes[i]);
		if (sextet < 0)
			continue;
		bytes[bit / 8] |= (unsigned char)(sextet << 2 >> bit % 8);
		bytes[bit / 8 + 1] |= (unsigned char)(sextet << (10 - bit % 8));
		bit += 6;
	}
	text.len = bit / 8;
	if (!strike_text(&text))
		return;
	for (i = 0, bit = 0; i < encoded->len && encoded->bytes[i] != '='; i++) {
		if (strike_sextet(encoded->bytes[i]) < 0)
			continue;
		encoded->bytes[i] =
			strike_base64[(bytes[bit / 8] << 8 | bytes[bit / 8 + 1]) >> (10 - bit % 8) &
				      0x3f];
		bit += 6;
	}
}

void mail_strike_links(struct arena *arena, const struct secret_ring *ring, struct mail_read *read)
{
	char *body = arena_alloc(arena, read->body_len + 1);

	memcpy(body, read->body, read->body_len);
	body[read->body_len] = '\0';
	MODEL_FOREACH (&read->texts, struct mail_text, part) {
		struct strike text = {
			.ring = ring,
			.bytes = body + part->at,
			.len = part->len,
			.quoted = part->encoding == MAIL_QUOTED_PRINTABLE,
		};

		if (part->encoding == MAIL_BASE64)
			strike_encoded(arena, &text);
		else
			strike_text(&text);
	}
	read->body = body;
}
