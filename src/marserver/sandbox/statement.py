"""What a statement must look like before any database sees it.

This is the first fence, not the only one: the connection itself may read the views and nothing else.
"""

import re

from marserver.errors import Invalid

# Possessive quantifiers: a hundred thousand blanks cost one pass. None stands behind a group that may match
# comments: Python before 3.11.5 ends such groups too early
BLANK = re.compile(r"\s++|--[^\n]*+", re.ASCII)
FIRST = re.compile(r"(?:SELECT|WITH)\b", re.IGNORECASE)
WORD = re.compile(
    r"""
    (?P<comment>--[^\n]*+|/\*)
  | (?P<text>[eE]'(?:[^'\\]++|\\.|'')*+'|'(?:[^']++|'')*+')
  | (?P<escaped>[uU]&["'])
  | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*+)?\$)
  | (?P<quoted>"(?:[^"]++|"")*+")
  | (?P<name>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*+)
  | (?P<other>\s++|[0-9.]++|.)
    """,
    re.VERBOSE | re.DOTALL,
)
# Functions that reach beyond the rows of a query: the server's files, sessions, settings, locks and large
# objects, those that run a text as SQL, and those that make gigabytes of one character
KEPT_AWAY = re.compile(
    r"pg_.*|lo_.*|loread|lowrite|dblink.*|information_schema|set_config|current_setting|nextval|setval|currval"
    r"|lastval|.*_to_xml.*|ts_stat|ts_rewrite|inet_(server|client)_.*|txid_.*|repeat|lpad|rpad|array_fill"
    r"|binary_upgrade.*|has_\w+_privilege|row_security_active",
    re.IGNORECASE,
)


def check_start(query: str) -> None:
    """Raise Invalid unless the statement starts with SELECT or WITH; comments may stand before it."""
    if FIRST.match(query, first_word(query)) is None:
        raise Invalid("query: must be one reading statement that starts with SELECT or WITH")


def first_word(query: str) -> int:
    """Where what is neither blank nor comment begins.

    A comment may not hold another one here: databases do not agree where it ends.
    """
    place = 0
    while True:
        if (blank := BLANK.match(query, place)) is not None:
            place = blank.end()
        elif query.startswith("/*", place) and (end := query.find("*/", place + 2)) >= 0:
            if "/*" in query[place + 2 : end + 1]:
                return place
            place = end + 2
        else:
            return place


def check_words(query: str) -> None:
    """Raise Invalid for a name that PostgreSQL's role could use but no survey needs."""
    place = 0
    while (found := WORD.match(query, place)) is not None:
        kind, word, place = found.lastgroup, found.group(), found.end()
        if kind in ("name", "quoted") and KEPT_AWAY.fullmatch(word.strip('"')):
            raise Invalid(f"query: {word[:60]} may not be used here")
        if kind == "escaped":
            raise Invalid("query: U& escapes may not be used here")
        if kind == "comment" and word == "/*":
            place = end_of_comment(query, place)
        if kind == "dollar":
            place = end_of_dollar(query, place, word)


def end_of_comment(query: str, place: int) -> int:
    """Where a comment ends that begins before `place`; comments hold comments."""
    depth = 1
    for mark in re.finditer(r"/\*|\*/", query[place:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return place + mark.end()
    raise Invalid("query: a comment does not end")


def end_of_dollar(query: str, place: int, tag: str) -> int:
    """Where a text between `$tag$` and `$tag$` ends."""
    end = query.find(tag, place)
    if end < 0:
        raise Invalid(f"query: the text after {tag[:60]} does not end")
    return end + len(tag)
