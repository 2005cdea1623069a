"""Names that released notebooks use: `check` from graders.nb, `configure` from graders.nb.course.

They stay, so that what was handed out keeps working. It may import notebook/ alone, where the code is.
Begin with `notebook/incell.py` and `notebook/nbgrader/course.py`.
"""

from graders.notebook import check as check
