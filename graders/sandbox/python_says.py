"""CPython's own words on a text that is no Python, as far as they are fixed: a child may claim these, and no others.

They are those of 3.11 and later. What quotes the text is left out; the line is shown with the error anyhow.
"""

import re

VARIES = re.compile(r" on line \d+| \(detected at line \d+\)|( '.')? \(?U\+[0-9A-F]+\)?$")
BLOCKS = ("if", "elif", "else", "for", "while", "with", "try", "except", "finally")
THINGS = ("function call", "expression", "comparison", "attribute", "subscript", "literal", "True", "False", "None")
SYNTAX = {
    *("invalid syntax", "invalid syntax. Perhaps you forgot a comma?", "expected ':'", "expected '('"),
    *("invalid syntax. Maybe you meant '==' or ':=' instead of '='?", "expected 'else' after 'if' expression"),
    *("unexpected indent", "unindent does not match any outer indentation level", "unexpected EOF while parsing"),
    *("inconsistent use of tabs and spaces in indentation", "expected 'except' or 'finally' block"),
    *("expected an indented block after function definition", "expected an indented block after class definition"),
    *(f"expected an indented block after '{block}' statement" for block in BLOCKS),
    *("unterminated string literal", "unterminated triple-quoted string literal", "invalid decimal literal"),
    *("invalid character", "invalid non-printable character"),
    *("unexpected character after line continuation character", "illegal target for annotation"),
    *(f"'{opening}' was never closed" for opening in "([{"),
    *(f"unmatched '{closing}'" for closing in ")]}"),
    *(f"closing parenthesis '{c}' does not match opening parenthesis '{o}'" for c in ")]}" for o in "([{"),
    *(f"cannot assign to {thing}" for thing in THINGS),
    *(f"cannot assign to {thing} here. Maybe you meant '==' instead of '='?" for thing in THINGS),
    *("positional argument follows keyword argument", "did you forget parentheses around the comprehension target?"),
    *("non-default argument follows default argument", "parameter without a default follows parameter with a default"),
    *("'return' outside function", "'yield' outside function"),
    *("'break' outside loop", "'continue' not properly in loop"),
    "Missing parentheses in call to 'print'. Did you mean print(...)?",
}


def of_python(words: str) -> str | None:
    """A message of CPython's on syntax without its lines and characters; None for anything else."""
    plain = VARIES.sub("", words)
    return plain if plain in SYNTAX else None
