"""Questions made from an oracle: what a function may ask for by name, and what it may not."""

from collections.abc import Mapping, Sequence
from functools import cache

from torch import Tensor

from graders.exercise.module import Gradient
from graders.oracle.gradient import Oracle
from graders.student.question import Question
from graders.words import Code, Reason, reason


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
def refusals(targets: tuple[str, ...], consumers: tuple[str, ...], values: tuple[str, ...]) -> Mapping[str, Reason]:
    """Why d<name> cannot be had, for each of `values` that no target flows into directly."""
    direct = ", ".join(f"d{c}" for c in consumers)
    asked_of = " and ".join(targets)
    refused = {
        f"d{name}": reason(Code.NOT_UPSTREAM, name=f"d{name}", target=asked_of, direct=direct)
        for name in values
        if name not in consumers and f"d{name}" not in values
    }
    answers = {
        f"d{name}": reason(Code.THE_ANSWER, name=f"d{name}", direct=direct) for name in targets if name not in consumers
    }
    return refused | answers


def operations(oracle: Oracle) -> int:
    """Tensor operations for one call: 16 for each round of a loop over the longest axis or index, at least 200.

    One-line answers take about 10, right loops up to 15 a round; a difference quotient takes several an entry.
    """
    tensors = [value for value in oracle.values.values() if isinstance(value, Tensor)]
    indices = [t.numel() for t in tensors if not t.is_floating_point()]
    longest = max([1, *indices, *(max(t.shape, default=1) for t in tensors)])
    return max(200, 16 * longest)
