"""What a cell shows: rich in Jupyter, plain lines in a terminal or a script."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from html import escape

from graders.report import pictures, terminal
from graders.report.terminal import WRONG
from graders.verdict.grader import Grader, Result


def show(result: Result, grader: Grader, states: Mapping[str, str]) -> None:
    """Print a result, or display it where Jupyter runs this. `states` are those of tensors seen in this session."""
    told = text(result, grader)
    if not in_jupyter():
        print(told)
        return
    from IPython.display import publish_display_data

    publish_display_data({"text/plain": told, "text/html": html(result, grader, states)})


def in_jupyter() -> bool:
    """True where cells have rich outputs: a kernel, not IPython in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def text(result: Result, grader: Grader) -> str:
    return "\n".join(terminal.lines(dict(terminal.properties(result, grader))))


def html(result: Result, grader: Grader, states: Mapping[str, str]) -> str:
    """The classic line, what there is to say, heat maps (folded if all is right) and the compute graph."""
    colour = pictures.COLOURS.get(result.state.value, pictures.FAULT)
    line, *rest = text(result, grader).split("\n")
    shown = [f'<pre style="margin:0"><span style="color:{colour}">⬤</span> {escape(line)}</pre>']
    if rest:
        shown.append(f'<pre style="margin:2px 0 6px 0">{escape(chr(10).join(rest))}</pre>')
    maps = heat_maps(result, grader)
    if maps:
        is_open = " open" if result.state.value in WRONG else ""
        shown.append(f"<details{is_open}><summary>yours · autograd · difference</summary>{maps}</details>")
    consumers = {name: grader.lecture.consumers(name) for name in grader.exercise.watched}
    drawn = pictures.graph(in_order(consumers), states, result.gradient.target)
    return f"<div>{''.join(shown)}{drawn}</div>"


def in_order(consumers: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The tensors from the inputs to the loss: each before all of its consumers."""
    placed: dict[str, tuple[str, ...]] = {}

    def place(name: str) -> None:
        for above in consumers.get(name, ()):
            place(above)
        if name in consumers:
            placed.setdefault(name, consumers[name])

    for name in consumers:
        place(name)
    return dict(reversed(placed.items()))


def heat_maps(result: Result, grader: Grader) -> str:
    """The answer at the lecture's sizes, fed with random upstream gradients; empty where there is none."""
    if result.gradient is grader.exercise.run:
        return ""
    trials = grader.local(result.gradient.name)
    if not isinstance(trials, list) or trials[0].answer is None:
        return ""
    return pictures.compared(trials[0].answer, trials[0].expected)
