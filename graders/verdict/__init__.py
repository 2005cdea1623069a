"""The one check that all share: an exercise, somebody who answers, the cases; a result an item.

All faces come through here: the terminal, the notebook, the class and nbgrader. It may import diagnosis/ and what
stands before it, and never sandbox/: a submission comes as a respondent like any other.
Begin with `grader.check`; then `states` (right, or wrong and why), `chained` (the lecture's line, at home only),
`result.Result`.
"""
