"""What an exercise module offers: given inputs() and forward(), and one function a gradient."""

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from graders.exercise.identity import identity_of
from graders.exercise.mistake import ExerciseError, Mistakes, told_as_mistake

SECTION = re.compile(r"^# --- (.+?) -*$")
ENTRY = re.compile(r"^(Points|Difficulty|Minutes|Hint \d+|Law(?: d\w+)?|Derivation):[ \t]*", re.MULTILINE)


@dataclass(frozen=True)
class Gradient:
    """One gradient that the student writes: `name` is d<target>, the id of its line.

    `function` is what the student writes, `index` its place among several gradients that it returns.
    """

    name: str
    target: str
    function: str
    index: int | None
    parameters: tuple[str, ...]
    section: str
    line: int
    story: str
    points: int = 1
    difficulty: int = 1
    minutes: int = 5
    hints: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    derivation: str = ""

    def asks_for_gradients(self) -> tuple[str, ...]:
        """The targets whose gradients are asked for: `dprobs` among the parameters gives 'probs'."""
        return tuple(p[1:] for p in self.parameters if is_gradient_name(p))


@dataclass(frozen=True)
class Exercise:
    """A loaded module: trusted code (the reference, or the stub as it was released).

    `identity` is unit/exercise. `run` is the item of a given function run(gradients, rng): it trains with any gradient
    function `gradients(values) -> sequence` and returns the losses, which must be those that autograd gives.
    """

    path: Path
    identity: str
    text: str
    title: str
    story: str
    gradients: tuple[Gradient, ...]
    inputs: Callable[..., dict[str, Any]]
    forward: Callable[..., dict[str, Any]]
    extremes: dict[str, dict[str, Any]] = field(default_factory=dict)
    run: Gradient | None = None
    namespace: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The keywords of inputs() that are sizes, with the lecture's values."""
        parameters = inspect.signature(self.inputs).parameters.values()
        return {p.name: p.default for p in parameters if type(p.default) is int}

    @property
    def items(self) -> tuple[Gradient, ...]:
        """Everything that gets a line of its own: the gradients, and the short training run if there is one."""
        return self.gradients + ((self.run,) if self.run else ())

    def gradient(self, name: str) -> Gradient:
        return next(g for g in self.items if g.name == name)

    @cached_property
    def by_function(self) -> dict[str, tuple[Gradient, ...]]:
        """The gradients that each function returns, in order."""
        names = dict.fromkeys(g.function for g in self.gradients)
        return {name: tuple(g for g in self.gradients if g.function == name) for name in names}

    @cached_property
    def watched(self) -> tuple[str, ...]:
        """Forward names whose gradients matter: those written and those asked for."""
        written = [g.target for g in self.gradients]
        asked = [target for g in self.gradients for target in g.asks_for_gradients()]
        return tuple(dict.fromkeys(name for name in written + asked if name != "loss"))


def is_gradient_name(name: str) -> bool:
    """True for `dprobs`; the convention that carries the whole kit: d<name> is dL/d<name>."""
    return len(name) > 1 and name.startswith("d")


def functions_of(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def targets_of(function: ast.FunctionDef) -> tuple[str, ...]:
    """The tensors whose gradients a function returns: from its name, or from the decorator @gradients(...)."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == "gradients":
            return tuple(str(a.value) for a in decorator.args if isinstance(a, ast.Constant))
    return (function.name[1:],) if is_gradient_name(function.name) else ()


def parameter_names(function: ast.FunctionDef) -> tuple[str, ...]:
    return tuple(a.arg for a in function.args.posonlyargs + function.args.args)


def sections_of(text: str) -> list[tuple[int, str]]:
    """Lines `# --- name ---...` divide a module into sections: (line, name) in order."""
    matches = ((number, SECTION.match(line)) for number, line in enumerate(text.splitlines(), 1))
    return [(number, match[1]) for number, match in matches if match]


def parse(text: str, path: Path) -> tuple[Gradient, ...]:
    """Read the gradients that a module's text offers, without running it.

    Raises ExerciseError, with all that is amiss: text that does not parse, a missing inputs() or forward(), a gradient
    written twice, a function without a docstring, points that are no number.
    """
    functions, mistakes = functions_of(tree_of(text, path)), Mistakes()
    names = [function.name for function in functions]
    for needed in ("inputs", "forward"):
        if needed not in names:
            mistakes.add(path, 1, f"no function {needed}()", "an exercise gives inputs(rng, ...) and forward(...).")
    for position, function in enumerate(functions):
        if function.name in names[:position]:
            first = functions[names.index(function.name)].lineno
            what = f"{function.name} is defined twice (first at line {first})"
            mistakes.add(path, function.lineno, what, "keep one of the two functions.")
    sections, found = sections_of(text), list[Gradient]()
    for function in functions:
        with mistakes.collected():
            found += _gradients(function, sections, path)
    for gradient in found:
        other = next(g for g in found if g.name == gradient.name)
        if other.function != gradient.function or (other is not gradient and gradient.index is not None):
            what = f"{gradient.name} is returned by {other.function} and by {gradient.function}"
            mistakes.add(path, gradient.line, what, "keep one of the two.")
    mistakes.refuse()
    return tuple(found)


def tree_of(text: str, path: Path) -> ast.Module:
    """A module's syntax tree. Raises ExerciseError where the text is no Python."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        what = f"syntax error: {error.msg}"
        raise ExerciseError(path, error.lineno or 1, what, "mend the line; nothing was read.") from None
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, brackets nested too deep
        raise ExerciseError(path, 1, f"this is no Python: {error}", "mend the file; nothing was read.") from None


def text_of(path: Path) -> str:
    """A module's text. Raises ExerciseError where it is not UTF-8, OSError where it cannot be read."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ExerciseError(path, line, "a character that is not UTF-8", "save the file as UTF-8.") from None


def _gradients(function: ast.FunctionDef, sections: list[tuple[int, str]], path: Path) -> list[Gradient]:
    targets = targets_of(function)
    if not targets:
        return []
    one = _described(function, sections, path)
    if targets == (function.name[1:],) and not function.decorator_list:
        return [one]
    named = [(f"d{t}", t, index) for index, t in enumerate(targets)]
    return [replace(one, name=name, target=t, index=i, laws=_laws(function, name)) for name, t, i in named]


def _laws(function: ast.FunctionDef, name: str) -> tuple[str, ...]:
    """The laws of one gradient: those of its function (`Law: ...`) and its own (`Law dW2: ...`)."""
    _, entries = split_docstring(inspect.cleandoc(ast.get_docstring(function) or ""))
    return tuple(text for key, text in entries.items() if key.split(" (")[0] in ("Law", f"Law {name}"))


def _described(function: ast.FunctionDef, sections: list[tuple[int, str]], path: Path) -> Gradient:
    story, entries = split_docstring(inspect.cleandoc(ast.get_docstring(function) or ""))
    section = next((name for line, name in reversed(sections) if line < function.lineno), "")
    if not story:
        what = f"{function.name} has no docstring"
        raise ExerciseError(path, function.lineno, what, "say what and which shape it is.")
    try:
        numbers = {key.lower(): int(entries[key]) for key in ("Points", "Difficulty", "Minutes") if key in entries}
    except ValueError:
        what = f"{function.name}: Points, Difficulty and Minutes take whole numbers"
        raise ExerciseError(path, function.lineno, what, "write for instance `Points: 1`.") from None
    return Gradient(
        name=function.name,
        target=function.name[1:],
        function=function.name,
        index=None,
        parameters=parameter_names(function),
        section=section,
        line=function.lineno,
        story=story,
        hints=tuple(text for key, text in entries.items() if key.startswith("Hint")),
        laws=_laws(function, function.name),
        derivation=entries.get("Derivation", ""),
        **numbers,
    )


def _run_item(text: str, gradients: tuple[Gradient, ...], path: Path) -> Gradient | None:
    """The item of a given function run(); it belongs to the function that returns several gradients."""
    function = next((f for f in functions_of(ast.parse(text)) if f.name == "run"), None)
    several = next((g for g in gradients if g.index is not None), None)
    if function is None or several is None:
        return None
    described = _described(function, sections_of(text), path)
    return replace(described, name="run", target="run", function=several.function, parameters=several.parameters)


def split_docstring(docstring: str) -> tuple[str, dict[str, str]]:
    """A docstring is a story, then entries: `Points: 1`, `Hint 1: ...`, `Law: ...`, `Derivation: ...`."""
    story, *rest = ENTRY.split(docstring)
    entries: dict[str, str] = {}
    for key, text in zip(rest[::2], rest[1::2], strict=True):
        joined = re.sub(r"\s*\n\s+", " ", text) if key.startswith(("Hint", "Law")) else textwrap.dedent(text)
        entries[f"{key} ({len(entries)})" if key in entries else key] = joined.strip()
    return story.strip(), entries


def load(path: Path, text: str | None = None, identity: str = "") -> Exercise:
    """Run a trusted module's text (the file's own by default) and return what it offers.

    Its identity is told by its place, unless it is given.

    Raises ExerciseError for an author's mistake, exceptions at import included.
    """
    file = str(path) if text is None else f"<{path.name}, as released>"  # its lines are not those of the file
    text = text_of(path) if text is None else text
    gradients = parse(text, path)
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    with told_as_mistake(path, "the import", "the module must import cleanly."):
        exec(compile(text, file, "exec"), module.__dict__)
    title, _, story = inspect.cleandoc(module.__doc__ or path.stem).partition("\n")
    return Exercise(
        path=path,
        identity=identity or identity_of(path),
        text=text,
        title=title.rstrip("."),
        story=story.strip(),
        gradients=gradients,
        inputs=module.__dict__["inputs"],
        forward=module.__dict__["forward"],
        extremes=getattr(module, "extremes", {}),
        run=_run_item(text, gradients, path),
        namespace=module.__dict__,
    )


def references(folder: Path) -> list[Path]:
    """The reference modules, reference/UNIT/EXERCISE.py, in order."""
    return sorted(folder.glob("*/*.py"))
