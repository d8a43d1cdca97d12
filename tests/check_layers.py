#!/usr/bin/env python3
"""Holds the layers: which folder of src/ may include what, and whether Makefile.am agrees.

A folder includes its own headers and those of folders with a lower rank. Third-party headers stay
in the folders that are named for them here.
"""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ.get("srcdir") or pathlib.Path(__file__).parent.parent)
SRC = ROOT / "src"

# "." is src/ itself: main.c.
RANKS = {
    "base": 0,
    "core": 1,
    "rest": 2, "tmpl": 2, "http": 2,
    "provider": 3, "store": 3, "mail": 3, "ics": 3,
    "service": 5, "dispatch": 5,
    "handler": 6,
    "app": 7,
    ".": 8,
}  # fmt: skip

# The dispatcher works without a web server, and use cases know of none, whatever the ranks would
# allow.
NEVER = {"dispatch": {"service", "http", "handler"}, "service": {"http", "tmpl"}}

# core/ is pure: it reads no clock, writes no log and knows no configuration.
CORE_NEVER = {"clock.h", "log.h", "conf.h", "time.h"}

# Library: (its headers, its *_CFLAGS in Makefile.am, where it belongs).
ABOVE_CORE = {"base"} | {folder for folder, rank in RANKS.items() if rank > 1}
LIBRARIES = {
    "libfcgi": (r"(fcgi\w*|fastcgi)\.h", "FCGI", {"http"}),
    "libcurl": (r"curl/.*", "CURL", {"rest", "mail"}),
    "libmongoc": (r"(bson|mongoc).*", "MONGOC", {"store"}),
    "libetpan": (r"libetpan/.*", "ETPAN", {"mail"}),
    "libidn2": (r"idn2\.h", "IDN2", {"mail"}),
    "libical": (r"(libical/.*|ical\.h)", "ICAL", {"ics"}),
    "libsodium": (r"sodium.*", "SODIUM", {"base"}),
    "libjwt": (r"jwt\.h", "JWT", {"http", "provider"}),
    "openssl": (r"openssl/.*", "OPENSSL", {"provider"}),
    "inih": (r"ini\.h", "INIH", {"base"}),
    "json-c": (r"(json-c/.*|json_\w+\.h)", "JSONC", ABOVE_CORE),
}

STANDARD_C = {
    f"{name}.h"
    for name in "assert ctype errno float inttypes limits locale math setjmp signal stdalign stdarg "
    "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string threads time wchar".split()
}
SYSTEM = re.compile(
    r"(sys|linux|net|netinet|arpa)/\w+\.h"
    r"|(dirent|fcntl|fnmatch|getopt|grp|langinfo|libgen|netdb|poll|pthread|pwd|regex|sched|semaphore"
    r"|spawn|strings|sysexits|syslog|termios|unistd)\.h"
)

# Where the database is searched: each search is held against THE INDEXES there, but for that of
# audit events, which is bounded in time (docs/architecture.md, "Searches").
SEARCH = re.compile(r"\bmongoc_collection_(?:find|count|estimated|aggregate)\w*|\bmongoc_find_\w*")
SEARCHERS = {
    "store_query.c": "mongoc_collection_find_with_opts",
    "store_audit.c": "mongoc_collection_aggregate",
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def visible(folder):
    """The folders whose headers a folder may include."""
    lower = {other for other, rank in RANKS.items() if rank < RANKS[folder]}
    return ({folder} | lower) - NEVER.get(folder, set())


def folder_of(path):
    return path.relative_to(SRC).parent.as_posix()


def check_sources():
    """Yields (place, complaint) for every include; complaint is None when it is allowed."""
    files = sorted(path for path in SRC.rglob("*") if path.suffix in (".c", ".h"))
    owners = {}
    for path in files:
        if folder_of(path) not in RANKS:
            yield path.relative_to(ROOT), "this folder has no rank in tests/check_layers.py"
        elif path.suffix == ".h":
            if path.name in owners:
                yield path.relative_to(ROOT), f"{owners[path.name]}/ has a header of this name too"
            owners[path.name] = folder_of(path)

    fcgi_file = None
    for path in files:
        folder = folder_of(path)
        if folder not in RANKS:
            continue
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            name = match[2]
            place = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
            if match[1] == '"':
                complaint = check_local(folder, name, owners)
            else:
                complaint = check_foreign(folder, name)
            if re.fullmatch(LIBRARIES["libfcgi"][0], name) and match[1] == "<":
                if fcgi_file not in (None, path):
                    complaint = f"only one file sees fcgi, and {fcgi_file.relative_to(ROOT)} does"
                fcgi_file = path
            yield place, complaint


def check_searches():
    for path in sorted((SRC / "store").glob("*.c")):
        for name in SEARCH.findall(path.read_text()):
            allowed = SEARCHERS.get(path.name) == name
            yield path.relative_to(ROOT), None if allowed else f"{name} is for store_query.c alone"


def check_local(folder, name, owners):
    if name not in owners:
        return f'there is no "{name}" in src/ (a header is included by its bare name)'
    if owners[name] not in visible(folder):
        return f"{folder}/ must not see {owners[name]}/ ({name})"
    if folder == "core" and name in CORE_NEVER:
        return f"core/ is pure and does without {name}"
    return None


def check_foreign(folder, name):
    if folder == "core":
        allowed = name in STANDARD_C and name not in CORE_NEVER
        return None if allowed else f"core/ is pure and does without <{name}>"
    if name in STANDARD_C or SYSTEM.fullmatch(name):
        return None
    for library, (headers, _, homes) in LIBRARIES.items():
        if re.fullmatch(headers, name):
            return None if folder in homes else f"{library} does not belong in {folder}/ (<{name}>)"
    return f"tests/check_layers.py does not know where <{name}> belongs"


def check_makefile():
    """The same for each lib<folder>_a_CPPFLAGS."""
    text = (ROOT / "Makefile.am").read_text().replace("\\\n", " ")
    variables = dict(re.findall(r"^(\w+)[ \t]*=[ \t]*(.*)$", text, re.MULTILINE))

    def expand(value):
        return re.sub(r"\$\((see_\w+)\)", lambda match: expand(variables[match[1]]), value)

    for folder in RANKS:
        value = variables.get(f"lib{folder}_a_CPPFLAGS")
        if value is None:
            if RANKS[folder] < RANKS["app"] and any((SRC / folder).glob("*.c")):
                yield (
                    f"Makefile.am: lib{folder}",
                    "there is no such library with CPPFLAGS of its own",
                )
            continue
        place = f"Makefile.am: lib{folder}_a_CPPFLAGS"
        value = expand(value)
        for other in re.findall(r"-I\$\(srcdir\)/src/?(\S*)", value):
            allowed = (other or ".") in visible(folder)
            yield place, None if allowed else f"{folder}/ must not see {other or 'src'}/"
        for flags in re.findall(r"\$\((\w+)_CFLAGS\)", value):
            for library, (_, name, homes) in LIBRARIES.items():
                if name == flags:
                    allowed = folder in homes
                    yield place, None if allowed else f"{library} does not belong in {folder}/"


def main():
    sources = list(check_sources())
    checked = sources + list(check_searches()) + list(check_makefile())
    complaints = [f"{place}: {complaint}" for place, complaint in checked if complaint]
    for complaint in complaints:
        print(complaint)
    print(f"layers: {len(checked)} includes and -I of {SRC}, {len(complaints)} against the rules")
    return 1 if complaints or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
