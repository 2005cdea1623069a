"""A student's module and its answers: what is asked, what comes back, what by hand means.

The self-check uses it in its own process and in a fork of it, and the sandbox on both sides of its wall: so nothing
here knows a right answer. It may import exercise/, outcome and words, and never oracle/.
Begin with `question.Question` and `answer.ask`; then `module` (load a file, ask it here), `accidents` (what a call may
do to this process), `slips` (what an exception tells), `reading` (what the text tells), `rules` (what it may say),
`guard` (what may run), `live` (a notebook's functions), `changed` (given code), `hints`, `commands` (what a student can
type). In a fork: `respondents` (who answers at home), `forked` (asks), `talk` (holds the clock), `inside` (answers),
`forks` and `spare` (make forks).
"""
