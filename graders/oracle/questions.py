"""Questions made from an oracle: what a function may ask for by name, and what it may not."""

from collections.abc import Mapping, Sequence
from functools import cache

from torch import Tensor

from graders.exercise.module import Gradient
from graders.oracle.gradient import Oracle
from graders.student.question import Question
from graders.words import Code


def question(group: Sequence[Gradient], oracle: Oracle, upstream: Mapping[str, Tensor] | None = None) -> Question:
    """What to ask the function that returns the gradients of `group`, with `upstream` (random by default) arriving."""
    upstream = oracle.upstream if upstream is None else upstream
    targets = tuple(gradient.target for gradient in group)
    consumers = tuple(dict.fromkeys(name for target in targets for name in oracle.consumers(target)))
    return Question(
        function=group[0].function,
        targets=targets,
        values=oracle.values,
        upstream={f"d{name}": upstream[name] for name in consumers},
        refused=refusals(targets, consumers, tuple(oracle.values)),
        shapes=tuple(tuple(oracle.values[target].shape) for target in targets),
        several=group[0].index is not None,
        parameters=group[0].parameters,
        dtype=oracle.upstream["loss"].dtype,
        operations=operations(oracle) * min(len(group), 4),
    )


@cache
def refusals(targets: tuple[str, ...], consumers: tuple[str, ...], values: tuple[str, ...]) -> Mapping[str, Code]:
    """Why d<name> cannot be had, for each of `values` that no target flows into directly."""
    strangers = (name for name in values if name not in consumers and f"d{name}" not in values)
    answers = (name for name in targets if name not in consumers)
    return {
        **dict.fromkeys((f"d{name}" for name in strangers), Code.NOT_UPSTREAM),
        **dict.fromkeys((f"d{name}" for name in answers), Code.THE_ANSWER),
    }


def operations(oracle: Oracle) -> int:
    """Tensor operations that a call rarely exceeds: 16 a round of a loop over the longest axis or index, at least 200.

    One-line answers take about 10, right loops up to 15 a round; a difference quotient takes several an entry.
    """
    tensors = [value for value in oracle.values.values() if isinstance(value, Tensor)]
    indices = [t.numel() for t in tensors if not t.is_floating_point()]
    longest = max([1, *indices, *(max(t.shape, default=1) for t in tensors)])
    return max(200, 16 * longest)
