"""Submissions that try to get a text out: in all that is said of them it must be in no place.

A row: what it tries, what the bare sandbox says of it, the body of a function that is given a tensor `dy`. The text `t`
is built at run time, of TEXT and of a number that was given. PLAIN_NAMES are the letters of TEXT, each a word.
"""

from __future__ import annotations

from graders.sandbox import wire

TEXT = "zyxwvut"
TOP = """
import torch
import numpy as np
PLAIN_NAMES = t, u, v, w, x, y, z = range(7)
"""
GIVEN = """
t = "tuvwxyz"[::-1] + str(float(dy.sum()))
"""
RAISED = "it raised an exception"
SEVERAL = "returned several values: return one tensor (torch.tensor of numbers, torch.stack of tensors)"
OTHER = "returned something else than a tensor: return one"
NUMBERS = "returned values that no tensor can hold"
BY_HAND = "this is not by hand: work the gradient out and compute it"
LARGE = "returned a far larger tensor than x"
CLAIM = f"""
import os, struct, sys
def claim(outcome, code, names, line=0):
    frame, names = sys._getframe(), names.encode("utf-8", "surrogatepass")
    while frame.f_code.co_name != "_answer_all":
        frame = frame.f_back
    numbers = frame.f_locals["number"], outcome, code, 0, line, len(names), 0, *[0] * 8
    os.write(3, struct.pack({wire.HEADER.format!r}, {wire.MARK!r}, *numbers) + names)
    os._exit(0)
"""
RULES = "from graders.words import Code, Reason, reason\nfrom graders.student.rules import Forbidden\n"


def typed(name: str, bases: str = "Exception", **attributes: str) -> str:
    inside = ", ".join(f"{key!r}: {value}" for key, value in attributes.items())
    return f"type({name}, ({bases},), {{{inside}}})"


# (what it tries, what is said of it when bare, body)
RAISING = [
    ("the name 'syntax error' in builtins", RAISED, "raise " + typed('"syntax error: " + t', __module__='"builtins"')),
    ("the name 'asks for' in builtins", RAISED, "raise " + typed('f"asks for `{t}`"', __module__='"builtins"')),
    ("the name 'name: text'", RAISED, "raise " + typed('"ValueError: " + t')),
    ("a type's name", RAISED, "raise " + typed("t")),
    ("a type's name, letter by letter", RAISED, "raise " + typed("'.'.join(t[:7])")),
    ("a type's name of 10 kB", RAISED, "raise " + typed("'ValueError' + t * 1000")),
    ("a type's name with newlines", RAISED, "raise " + typed("chr(10).join(['ValueError', t, t])")),
    ("a type's name with control characters", RAISED, "raise " + typed("'ValueError' + chr(27) + '[31m' + t")),
    ("a type's name with bidi characters", RAISED, "raise " + typed("chr(0x202e) + t[::-1] + chr(0x2066)")),
    ("a type's name with soft hyphens", RAISED, "raise " + typed("chr(0xad).join(t)")),
    ("a type's qualified name", "it raised ValueError", "raise " + typed("'ValueError'", __qualname__="t")),
    ("a type's module", "it raised ValueError", "raise " + typed("'ValueError'", __module__="t")),
    ("a type's docstring", "it raised ValueError", "raise " + typed("'ValueError'", __doc__="t")),
    ("str of an error", "it raised ValueError", "raise " + typed("'ValueError'", __str__="lambda self: t")),
    ("repr of an error", "it raised ValueError", "raise " + typed("'ValueError'", __repr__="lambda self: t")),
    ("arguments", "it raised KeyError", "raise KeyError(t, [t])"),
    ("the name of a NameError", "a name is not defined", "raise NameError(t, name=t)"),
    ("the name of a NameError, letter by letter", "a name is not defined", "raise NameError(name='.'.join(t[:7]))"),
    (
        "the name of an UnboundLocalError",
        "a variable is used before it has a value",
        "raise UnboundLocalError(f'cannot access local variable {t[:7]!r}')",
    ),
    (
        "an attribute's name",
        "it raised AttributeError",
        "raise AttributeError(t, name=t + 'x', obj=dy.as_subclass("
        + typed("'A'", "torch.Tensor", __dir__="lambda s: [t]")
        + "))",
    ),
    ("a keyword's name", "it raised TypeError", "raise TypeError(f'unexpected keyword argument {t[:7]!r}')"),
    ("a shape in words", "it raised RuntimeError", "z = torch.zeros(int(1e3 * abs(float(dy.sum()))), 0)\nreturn z @ z"),
    (
        "a NameError's odd name",
        "it raised NameError",
        "raise NameError(name=type('S', (str,), {'__hash__': lambda s: 1 / 0})(t))",
    ),
    ("notes", "it raised ValueError", "e = ValueError()\ne.add_note(t)\nraise e"),
    ("a cause", "it raised ValueError", "raise ValueError from RuntimeError(t)"),
    ("a group", "it raised ExceptionGroup", "raise BaseExceptionGroup(t, [ValueError(t)])"),
    ("KeyboardInterrupt", "it raised KeyboardInterrupt", "raise KeyboardInterrupt(t)"),
    ("a kind of KeyboardInterrupt", RAISED, "raise " + typed("t", "KeyboardInterrupt")),
    ("SystemExit", "it raised SystemExit", "raise SystemExit(t)"),
    ("MemoryError", "it raised MemoryError", "raise MemoryError(t)"),
    ("what torch says of memory", "it raised RuntimeError", "raise RuntimeError('not enough memory ' + t)"),
    ("a SyntaxError by hand", "it raised SyntaxError", "raise SyntaxError(t, ('submission.py', 3, 1, t))"),
    ("UnicodeDecodeError", "it raised UnicodeDecodeError", "raise UnicodeDecodeError(t, b'', 0, 1, t)"),
    ("OSError", "it raised FileNotFoundError", "raise OSError(2, t, t)"),
    ("__del__", "", "class D:\n    def __del__(self): raise ValueError(t)\nD()\nraise NotImplementedError"),
    (
        "a metaclass that lies",
        RAISED,
        "class M(type):\n    __name__ = property(lambda cls: t)\nclass E(Exception, metaclass=M): pass\nraise E",
    ),
    (
        "a metaclass that raises",
        "it raised ValueError",
        "class M(type):\n    @property\n    def __name__(cls): raise ValueError(t)\nclass E(Exception, metaclass=M): pass\nraise E",
    ),
    (
        "a name that is an odd str",
        RAISED,
        """
class S(str):
    __str__ = __format__ = __repr__ = lambda self, *a: self
    __eq__ = __ne__ = __contains__ = lambda self, o: True
    __hash__ = lambda self: hash("ValueError")
    replace = encode = strip = lambda self, *a: self
    __getitem__ = lambda self, i: t.encode()
class M(type):
    __name__ = property(lambda cls: S(t))
class E(Exception, metaclass=M): pass
raise E
""",
    ),
    (
        "a frame of many lines",
        "it raised ValueError",
        "exec(compile(chr(10) * (10 ** 6 + int(abs(dy.sum()))) + 'raise ValueError', 'submission.py', 'exec'))",
    ),
    ("a frame in a file of that name", "it raised ValueError", "exec(compile('raise ValueError', t, 'exec'))"),
    (
        "a poisoned line cache",
        "it raised ValueError",
        "import linecache\nlinecache.cache['submission.py'] = 9, None, [t + chr(10)] * 999, t\nraise ValueError",
    ),
    (
        "a faked NotImplementedError",
        "",
        "import linecache\nlinecache.cache['submission.py'] = 9, None, ['raise NotImplementedError ' + t] * 999, t\nraise NotImplementedError(t)",
    ),
    ("a Forbidden by hand", "it raised Forbidden", RULES + "raise Forbidden(Reason(Code.RAISED, (('text', t),)), 3)"),
]
WATCHED = "__refuse__.__self__.why, __refuse__.__self__.line = "
REFUSING = [
    ("free text as the watch's reason", RAISED, RULES + WATCHED + "Reason(Code.DIAGNOSIS, (('sentence', t),)), 3"),
    ("a name as the watch's reason", BY_HAND, RULES + WATCHED + "reason(Code.NOT_BY_HAND, name=t), 10 ** 12"),
    ("a name, letter by letter", BY_HAND, RULES + WATCHED + "reason(Code.NOT_BY_HAND, name='.'.join(t[:7])), -5"),
    (
        "a reason with an odd line",
        "it raised TypeError",
        RULES + WATCHED + "reason(Code.NOT_BY_HAND, name='.w' * 9, text=t), t",
    ),
]
RETURNING = [
    ("a structured dtype", NUMBERS, "return np.zeros(3, dtype=[(t, 'f8')])"),
    ("a dtype with metadata", "", "return np.zeros(3, dtype=np.dtype('f8', metadata={t: t}))"),
    ("texts", NUMBERS, "return np.array([t, t])"),
    (
        "a dtype that is a str",
        "returned values of type object, which no tensor can hold",
        "class A(np.ndarray): pass\nreturn np.array([t], dtype=object).view(A)",
    ),
    (
        "an array that lies about its dtype",
        NUMBERS,
        "class S(str):\n    __str__ = lambda self: self\nclass A(np.ndarray):\n    dtype = property(lambda self: S(t))\nreturn np.array([t]).view(A)",
    ),
    ("a type's name", OTHER, "return " + typed("t", "object") + "()"),
    ("a type's name of 10 kB", OTHER, "return " + typed("t * 1000", "object") + "()"),
    (
        "a type's name with surrogates",
        OTHER,
        "class M(type):\n    __name__ = property(lambda cls: t + chr(0xd800) + t)\nclass A(metaclass=M): pass\nreturn A()",
    ),
    ("a tuple's type", SEVERAL, "return " + typed("t", "tuple") + "((1, 2))"),
    ("a text", "returned an object of type str: return one tensor", "return t"),
    ("a class in disguise", NUMBERS, "return " + typed("t", "object", __class__="property(lambda s: int)") + "()"),
    (
        "NotATensor by hand",
        NUMBERS,
        "from graders.words import Code, reason\nfrom graders.student.returned import NotATensor\ndef f(self): raise NotATensor(reason(Code.RETURNED_NUMBERS, kind='.'.join(t[:7])))\n"
        + "return "
        + typed("'A'", "object", __class__="property(f)")
        + "()",
    ),
    ("a tensor subclass", "", "return dy.as_subclass(" + typed("t", "torch.Tensor") + ")"),
    ("digits as a shape", LARGE, "return torch.zeros(int(1e9 * abs(float(dy.sum()))), 0)"),
    ("digits as a shape in numpy", LARGE, "return np.zeros((0, 2, int(1e9 * abs(float(dy.sum())))))"),
    ("print", "", "print(t, flush=True)\nraise NotImplementedError"),
    ("warnings", "", "import warnings\nwarnings.warn(t)\nraise NotImplementedError"),
    ("stderr", "", "import sys\nsys.stderr.write(t)\nraise NotImplementedError"),
]
CODES = {code.name: number for number, code in enumerate(wire.CODES) if code}
CLAIMING = [
    ("a claim of a name", BY_HAND, CLAIM + f"claim(4, {CODES['NOT_BY_HAND']}, t)"),
    ("a claim letter by letter", BY_HAND, CLAIM + f"claim(4, {CODES['NOT_BY_HAND']}, '.'.join(t[:7]))"),
    ("a claim of words", "syntax error", CLAIM + f"claim(2, {CODES['SYNTAX']}, chr(10) * 3 + t)"),
    ("a claim of a sentence", RAISED, CLAIM + f"claim(2, {CODES['DIAGNOSIS']}, 'it is ' + t, 1 << 30)"),
    ("a claim of surrogates", RAISED, CLAIM + f"claim(2, {CODES['RAISED']}, t + chr(0xd800) + t, -1)"),
]
TELLERS = [
    (f"{kind}: {what}", said, body)
    for kind, rows in {"raise": RAISING, "refuse": REFUSING, "return": RETURNING, "claim": CLAIMING}.items()
    for what, said, body in rows
]

# Whole files: (what it tries, what is said of it when bare, text that defines or spoils dx)
ODD_FUNCTION = """
import inspect
class P: name, kind, default, empty, POSITIONAL_OR_KEYWORD, KEYWORD_ONLY = {names}, 1, 0, 0, 1, 3
class S(inspect.Signature): parameters = {{"p": P}}
dx = type("F", (), {{"__signature__": S(), "__call__": lambda self, **k: 1}})()
"""
ASKS = "asks for a name that the forward pass does not have: ask for names of the forward pass only."
T = '"tuvwxyz"[::-1]'
DX = "\ndef dx(w, dy): return dy\n"
FILES = [
    ("a renamed parameter", ASKS, f"{DX}dx.__code__ = dx.__code__.replace(co_varnames=({T}, 'dy'))"),
    ("an odd function's parameter", ASKS, ODD_FUNCTION.format(names=T)),
    ("a parameter, letter by letter", ASKS, ODD_FUNCTION.format(names=f"'.'.join({T})")),
    ("a parameter that is a sentence", ASKS, ODD_FUNCTION.format(names=f"'x` is ' + {T}")),
    ("a parameter with newlines", ASKS, ODD_FUNCTION.format(names=f"chr(10).join(['no', {T}])")),
    ("an error at import", RAISED, "raise " + typed(T)),
    ("a text at import", "it raised ValueError", f"raise ValueError({T})"),
    ("a syntax error by hand", "it raised SyntaxError", f"raise SyntaxError({T}, ('submission.py', 2, 1, {T}))"),
    ("a syntax error by exec", "it raised SyntaxError", f"exec('x = ' + {T} + ' y')"),
    ("a syntax error", "syntax error: invalid syntax (look at the end of the line above, too)", f"x = {T} y"),
    ("a syntax error of an alien name", "syntax error", f"{DX}def f(g, g): return {T}"),
]
