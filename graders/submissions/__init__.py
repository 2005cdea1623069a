"""Who handed in what: from a folder of files, archives and notebooks to one Python module a student and exercise.

Nothing that was handed in runs here. It may import exercise/ and words, and sandbox/'s task and wire for limits.
Begin with `roster.Roster.read`; then `people` (whose an entry is, with `platforms` and `naming`), `reader` (a bounded
process, with `reading` as its other end), `entries` and `archives` (what is in an entry), `ledger` (what became of it,
which attempt counts), `notebook_module` (cells to a module, with `statements`), `spool` (contents that wait).
"""
