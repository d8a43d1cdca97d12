#ifndef UNIT_TEMPLATES_H
#define UNIT_TEMPLATES_H
#include "tmpl.h"
#include "unit.h"

/* The templates as they are shipped. The caller frees. */
static inline struct tmpl_set *unit_templates(void)
{
	const char *srcdir = getenv("srcdir");
	struct tmpl_set *templates = tmpl_set_new();
	char root[4096];

	snprintf(root, sizeof(root), "%s/templates", srcdir ? srcdir : ".");
	CU_ASSERT_EQUAL_FATAL(tmpl_set_load(templates, root, NULL), ERR_OK);
	return templates;
}

#endif
