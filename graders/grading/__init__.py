"""Grading of a class: each file is marked once, at secret cases, and the results outlive the process.

It may import sandbox/, submissions/, verdict/ and what stands before them. What people read is report/'s.
Begin with `grade.grade`; then `assess.Supervisor` (one file), `local` and `cluster` (many at a time), `keys` and
`secret` (seeds), `store` (results).
"""


class GradingError(Exception):
    """Grading cannot begin or go on; the message says what to do."""
