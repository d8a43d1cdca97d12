#ifndef UTF8_H
#define UTF8_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the code point at the beginning of `left` bytes (1 to 4), or 0 when none is well formed
 * there (RFC 3629). */
size_t utf8_next(const char *bytes, size_t left, uint32_t *point_r);

/* An ASCII letter or digit, whatever the locale. */
static inline bool utf8_is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* How many of the first of `len` bytes are printable ASCII, U+0020 to U+007E. */
size_t utf8_plain(const char *bytes, size_t len);

/* Whether `len` bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). When
 * they are, *count_r is the number of code points. count_r may be NULL. */
bool utf8_valid(const char *bytes, size_t len, size_t *count_r);

/* Whether text holds a control character (C0, DEL, C1) or a line or paragraph separator. With
 * `multi_line`, LF, CR and TAB are allowed. */
bool utf8_has_control(const char *text, bool multi_line);

/* The bytes of the character that a text begins with, if nobody may write it: one that turns the
 * direction of the text around it (U+202A to 202E, U+2066 to 2069: Unicode Technical Report 36,
 * section 2.6), U+FEFF, or a noncharacter. Otherwise 0: of every letter of every script, and of the
 * marks that Arabic, Hebrew, Persian and emoji need (U+200C to 200F, U+061C). */
size_t utf8_forbidden(const char *text);

/* Why text from outside is not taken, as the end of a sentence, or NULL: it is not UTF-8, or holds
 * control characters (as above) or forbidden ones. */
const char *utf8_refusal(const char *text, bool multi_line);

/* Whether some of `len` bytes is written from right to left, so that the text around it may come
 * out in another order (Unicode Standard Annex 9). */
bool utf8_has_rtl(const char *text, size_t len);

/* The bytes of the line break that a text begins with, or 0: CR LF, LF, CR, U+0085, U+2028, 2029.
 */
size_t utf8_line_break(const char *text);

/* How many of `len` bytes come before the first such line break. A NUL follows them. */
size_t utf8_line(const char *text, size_t len);

/* Whether nothing of a well-formed text can be seen: blanks and zero-width characters only. */
bool utf8_is_blank(const char *text);

/* Whether two texts are the same but for the case of ASCII letters, whatever the locale. */
bool utf8_same_but_case(const char *one, const char *other);

/* The longest prefix of at most `limit` bytes that ends at a code point. */
size_t utf8_prefix(const char *text, size_t limit);

/* vsnprintf that cuts what is too long at a code point; `size` is 4 at least. */
void utf8_vformat(char *text_r, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
#endif
