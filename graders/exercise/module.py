"""What an exercise module offers: given inputs() and forward(), and one function a gradient."""

import ast
import inspect
import re
import textwrap
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

SECTION = re.compile(r"^# --- (.+?) -*$")
ENTRY = re.compile(r"^(Points|Difficulty|Minutes|Hint \d+|Law(?: d\w+)?|Derivation):[ \t]*", re.MULTILINE)


class ExerciseError(Exception):
    """An author's mistake in an exercise module: where it is, what it is, how to mend it."""

    def __init__(self, path: Path, line: int, what: str, remedy: str):
        self.path, self.line, self.what, self.remedy = path, line, what, remedy
        super().__init__(f"{path}:{line}: {what}\n  -> {remedy}")


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

    `run` is the item of a given function run(gradients, rng): it trains with any gradient function
    `gradients(values) -> sequence` and returns the losses, which must be those that autograd gives.
    """

    path: Path
    text: str
    title: str
    story: str
    gradients: tuple[Gradient, ...]
    inputs: Callable[..., dict[str, Any]]
    forward: Callable[..., dict[str, Any]]
    extremes: dict[str, dict[str, Any]] = field(default_factory=dict)
    run: Gradient | None = None
    namespace: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.path.stem

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

    Raises ExerciseError: text that does not parse, a missing inputs() or forward(), a gradient written twice,
    a function with no gradient name, a docstring entry that is not understood.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        what = f"syntax error: {error.msg}"
        raise ExerciseError(path, error.lineno or 1, what, "mend the line; nothing was read.") from None
    functions = functions_of(tree)
    names = [function.name for function in functions]
    for needed in ("inputs", "forward"):
        if needed not in names:
            remedy = "an exercise gives inputs(rng, ...) and forward(...)."
            raise ExerciseError(path, 1, f"no function {needed}()", remedy)
    for position, function in enumerate(functions):
        if function.name in names[:position]:
            first = functions[names.index(function.name)].lineno
            what = f"{function.name} is defined twice (first at line {first})"
            raise ExerciseError(path, function.lineno, what, "keep one of the two functions.")
    sections = sections_of(text)
    found = [g for function in functions for g in _gradients(function, sections, path)]
    for gradient in found:
        other = next(g for g in found if g.name == gradient.name)
        if other is not gradient:
            what = f"{gradient.name} is returned by {other.function} and by {gradient.function}"
            raise ExerciseError(path, gradient.line, what, "keep one of the two.")
    return tuple(found)


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


def load(path: Path, text: str | None = None) -> Exercise:
    """Run a trusted module's text (the file's own by default) and return what it offers.

    Raises ExerciseError for an author's mistake, exceptions at import included.
    """
    text = path.read_text(encoding="utf-8") if text is None else text
    gradients = parse(text, path)
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except Exception as error:
        frames = reversed(list(traceback.walk_tb(error.__traceback__)))
        line = next((number for frame, number in frames if frame.f_code.co_filename == str(path)), 1)
        what = f"{type(error).__name__}: {error}"
        raise ExerciseError(path, line, what, "the module must import cleanly.") from error
    title, _, story = inspect.cleandoc(module.__doc__ or path.stem).partition("\n")
    return Exercise(
        path=path,
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
