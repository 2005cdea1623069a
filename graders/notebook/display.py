"""What a cell shows: rich in Jupyter, plain lines in a terminal or a script."""

import sys
from collections.abc import Mapping
from html import escape

from graders.report import graph, heatmaps, signs, terminal
from graders.report.terminal import WRONG
from graders.verdict.chained import Chained
from graders.verdict.result import Result


def show(result: Result, check: Chained, states: Mapping[str, str]) -> None:
    """Print a result, or display it where Jupyter runs this. `states` are those of tensors seen in this session."""
    lines = text(result, check)
    if not in_jupyter():
        print(lines)
        return
    from IPython.display import publish_display_data

    publish_display_data({"text/plain": lines, "text/html": html(result, check, states)})


def in_jupyter() -> bool:
    """True where cells have rich outputs: a kernel, not IPython in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def text(result: Result, check: Chained) -> str:
    return "\n".join(terminal.lines(dict(terminal.properties(result, check))))


def html(result: Result, check: Chained, states: Mapping[str, str]) -> str:
    """The classic line, what there is to say, heat maps (folded if all is right) and the compute graph (folded)."""
    line, *rest = text(result, check).split("\n")
    shown = [f'<pre style="margin:0">{signs.sign(kind(result.outcome.state), 14)} {escape(line)}</pre>']
    if rest:
        shown.append(f'<pre style="margin:2px 0 6px 0">{escape(chr(10).join(rest))}</pre>')
    maps = maps_of(result, check)
    if maps:
        is_open = " open" if result.outcome.state in WRONG else ""
        shown.append(f"<details{is_open}><summary>yours · autograd · difference</summary>{maps}</details>")
    shown.append(f"<details><summary>compute graph</summary>{graph_of(result, check, states)}</details>")
    return f"<div>{''.join(shown)}</div>"


def kind(state: str) -> str:
    """What a sign stands for, of a state's words; they are empty where nothing was checked."""
    if state in WRONG:
        return "failed" if state == "error" else "wrong"
    return {"": "none", "not attempted": "untouched"}.get(state, "passed")


def graph_of(result: Result, check: Chained, states: Mapping[str, str]) -> str:
    """The compute graph with the state of every tensor whose gradient is asked for."""
    layout = graph.layout({name: check.cases.public.lecture.consumers(name) for name in check.exercise.watched})
    asked = {gradient.target: states.get(gradient.target, "") for gradient in check.exercise.gradients}
    words = {target: (kind(state), state or "not checked") for target, state in asked.items()}
    here = check.exercise.gradient(result.item).target
    return graph.svg(layout, words, f"The compute graph of {check.exercise.identity}", here)


def maps_of(result: Result, check: Chained) -> str:
    """The answer at the lecture's sizes, fed with random upstream gradients; empty where there is none."""
    if check.exercise.run and result.item == check.exercise.run.name:
        return ""
    trial = check.public.trials(result.item)[0]
    return "" if trial.answer is None else heatmaps.compared(trial.answer, trial.expected)
