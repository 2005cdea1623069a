"""Who handed in what: from a folder of files, archives and notebooks to one Python module a student and exercise.

Nothing that was handed in runs here. It may import exercise/ and words, and sandbox/'s task and wire for limits.
Begin with `roster.Roster.read`; then `entries` (students and attempts), `archives`, `naming`, `notebook` (cells to a
module, with `cells` and `statements`), `spool` (contents that wait).
"""
