"""Autograd's graph of a forward pass: which edges end in a tensor, by which operation, on the way to which others."""

from typing import Any

from torch.autograd.graph import Node, get_gradient_edge

from graders.exercise.mistake import ExerciseError
from graders.exercise.module import Exercise

Edge = tuple[Node, int, tuple[str, ...]]  # the node above, its input's place, the watched tensors further above


def operation_name(node: Node) -> str:
    """'MulBackward0' is what autograd calls the node of a multiplication: 'mul'."""
    return node.name().split("Backward")[0].lower()


def edges_by_target(exercise: Exercise, values: dict[str, Any], watched: tuple[str, ...]) -> dict[str, list[Edge]]:
    """Walk the graph from the loss: every edge that ends in a watched tensor, with the watched names above it."""
    places = {}
    for name in watched:
        edge = get_gradient_edge(values[name])
        places[(edge.node, edge.output_nr)] = name
    own_names: dict[Node, list[str]] = {}
    for (node, _), name in places.items():
        own_names.setdefault(node, []).append(name)
    above: dict[Node, dict[str, None]] = {values["loss"].grad_fn: {"loss": None}}
    edges: dict[str, list[Edge]] = {name: [] for name in watched}
    for node in _topological(values["loss"].grad_fn):
        names = dict.fromkeys(own_names[node]) if node in own_names else above[node]
        for slot, (child, number) in enumerate(node.next_functions):
            if child is None:
                continue
            above.setdefault(child, {}).update(names)
            if (child, number) in places:
                edges[places[(child, number)]].append((node, slot, tuple(names)))
    for name in watched:
        if not edges[name]:
            line = next((g.line for g in exercise.gradients if g.target == name), 1)
            what = f"the loss does not depend on `{name}`"
            raise ExerciseError(exercise.path, line, what, "use it on the way to the loss, or drop its function.")
    return edges


def _topological(root: Node) -> list[Node]:
    """Every node below `root`, each after all nodes above it."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, finished = stack.pop()
        if finished:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child, _ in node.next_functions if child is not None)
    return order[::-1]
