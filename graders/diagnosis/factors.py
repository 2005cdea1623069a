"""Explain a constant factor: how it changes with the named sizes tells where it comes from."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from graders.oracle.compare import SINGLE_PRECISION

Sizes = Mapping[str, int]
Formula = tuple[str, Callable[..., float]]

# Powers of one size and of the size less one, the most common slips first.
ONE_SIZE: tuple[Formula, ...] = (
    ("1/{}", lambda a: 1 / a),
    ("{}", lambda a: a),
    ("({0} - 1)/{0}", lambda a: (a - 1) / a),
    ("{0}/({0} - 1)", lambda a: a / (a - 1)),
    ("1/({} - 1)", lambda a: 1 / (a - 1)),
    ("({} - 1)", lambda a: a - 1),
    ("1/{}^2", lambda a: 1 / a**2),
    ("{}^2", lambda a: a**2),
    ("({} - 1)^2", lambda a: (a - 1) ** 2),
    ("1/({} - 1)^2", lambda a: 1 / (a - 1) ** 2),
    ("{0}*({0} - 1)", lambda a: a * (a - 1)),
    ("1/({0}*({0} - 1))", lambda a: 1 / (a * (a - 1))),
    ("(({0} - 1)/{0})^2", lambda a: ((a - 1) / a) ** 2),
    ("({0}/({0} - 1))^2", lambda a: (a / (a - 1)) ** 2),
)
TWO_SIZES: tuple[Formula, ...] = (
    ("{}/{}", lambda a, b: a / b),
    ("({} - 1)/{}", lambda a, b: (a - 1) / b),
    ("{}/({} - 1)", lambda a, b: a / (b - 1)),
    ("({} - 1)/({} - 1)", lambda a, b: (a - 1) / (b - 1)),
    ("1/({}*{})", lambda a, b: 1 / (a * b)),
    ("{}*{}", lambda a, b: a * b),
    ("({} - 1)*{}", lambda a, b: (a - 1) * b),
    ("1/(({} - 1)*{})", lambda a, b: 1 / ((a - 1) * b)),
)
CONSTANTS: tuple[tuple[str, float], ...] = (
    ("", 1.0),
    ("2*", 2.0),
    ("1/2*", 0.5),
    ("3*", 3.0),
    ("4*", 4.0),
    ("1/4*", 0.25),
)


def factor(answer: Tensor, candidate: Tensor) -> float | None:
    """The number f with answer = f * candidate to rounding; None if there is none."""
    if answer.shape != candidate.shape or not answer.numel():
        return None
    squares = (candidate * candidate).sum().item()
    if not squares or not math.isfinite(squares):
        return None
    if answer.abs().max().item() <= 1e-9 * candidate.abs().max().item():
        return 0.0
    f = (answer * candidate).sum().item() / squares
    off = (answer - f * candidate).abs().max().item()
    return f if off <= SINGLE_PRECISION * max(abs(f), 1e-12) * candidate.abs().max().item() else None


def close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-5 * max(abs(a), abs(b))


def explain(found: Sequence[float], sizes: Sequence[Sizes]) -> str | None:
    """Name the factors found at several cases: '1', '-1', '0', '2', '1/n', 'n', '(n - 1)/n', '-1/vocab', ...

    None where neither one constant nor one formula in the sizes gives all of them.
    """
    if not found:
        return None
    found = [0.0 if abs(f) < SINGLE_PRECISION else f for f in found]
    if all(close(f, found[0]) for f in found):
        return _number(found[0])
    signs = {math.copysign(1, f) for f in found}
    if len(signs) == 2:
        return None
    prefix = "-" if signs == {-1.0} else ""
    names = list(sizes[0])
    chosen: list[tuple[Formula, tuple[str, ...]]] = [(f, (a,)) for a in names for f in ONE_SIZE]
    chosen += [(f, pair) for f in TWO_SIZES for pair in itertools.permutations(names, 2)]
    for (constant, number), ((phrase, formula), which) in itertools.product(CONSTANTS, chosen):
        if all(close(abs(f), number * formula(*(s[n] for n in which))) for f, s in zip(found, sizes, strict=True)):
            return prefix + constant + phrase.format(*which)
    return None


def _number(value: float) -> str:
    for whole in (0, 1, -1, 2, -2, 3, -3, 4, -4):
        if abs(value - whole) < 1e-6:
            return str(whole)
    for bottom in (2, 3, 4):
        if close(abs(value), 1 / bottom):
            return f"{'-' if value < 0 else ''}1/{bottom}"
    return f"{value:.4g}"


def is_plain(phrase: str) -> bool:
    """A factor that says something: a small number, a fraction, a formula; neither 0 nor 0.3679."""
    return phrase.lstrip("-") in ("1", "2", "3", "4") or any(c in phrase for c in "/*(") or phrase[-1].isalpha()


def describe(phrase: str, what: str, sizes: Sizes) -> tuple[str, str]:
    """(cause, sentence) for an answer that is `phrase` times `what`. The sentence is a fact about the numbers."""
    if phrase == "0":
        return "zeros", f"it is zero everywhere, {what} is not"
    if phrase == "-1":
        return "sign", f"it is exactly minus {what}: the sign is wrong"
    sign = "; the sign is wrong too" if phrase.startswith("-") else ""
    for name, value in sizes.items():
        remark = {
            f"1/{name}": f"a factor 1/{name} is too many (a mean over {name} where a sum belongs?)",
            name: f"a factor 1/{name} is missing (a sum where a mean over {name} belongs?)",
            f"({name} - 1)/{name}": f"as if 1/{name} stood where 1/({name} - 1) belongs",
            f"{name}/({name} - 1)": f"as if 1/({name} - 1) stood where 1/{name} belongs",
            f"({name} - 1)": f"a factor 1/({name} - 1) is missing",
            f"1/({name} - 1)": f"a factor 1/({name} - 1) is too many",
            f"{name}^2": f"as if multiplied by {name} where a division by {name} belongs",
            f"({name} - 1)^2": f"as if multiplied by {name} - 1 where a division by {name} - 1 belongs",
            f"1/{name}^2": f"as if divided by {name} twice too often, or where a multiplication by {name} belongs",
            f"{name}*({name} - 1)": f"as if {name} and {name} - 1 stood where divisions belong",
        }.get(phrase.removeprefix("-"))
        if remark:
            return "constant factor", f"it is {phrase} times {what} ({name} = {value}): {remark}{sign}"
    return "constant factor", f"it is {phrase} times {what}{sign}"
