r"""LaTeX as lines of a terminal: `$\partial L / \partial p_{ij}$` becomes ∂L / ∂pᵢⱼ.

For what derivations use. The libraries for this lose brackets (n/n-1 for a fraction) or know no fractions. Notebooks
and pages keep the LaTeX.
"""

import re
import textwrap
import unicodedata
from collections.abc import Iterator

WIDTH = 80
TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|\s+|.", re.DOTALL)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
SYMBOLS = {
    **{name: unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}") for name in (
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "mu", "nu", "xi", "pi", "rho",
        "sigma", "tau", "phi", "chi", "psi", "omega",
    )},
    "lambda": "λ", "Delta": "Δ", "Sigma": "Σ", "varepsilon": "ε", "ell": "ℓ", "partial": "∂", "nabla": "∇",
    "sum": "∑", "prod": "∏", "cdot": "·", "times": "×", "odot": "⊙", "otimes": "⊗", "pm": "±", "approx": "≈",
    "ne": "≠", "neq": "≠", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "to": "→", "in": "∈", "infty": "∞",
    "dots": "…", "ldots": "…", "cdots": "…", "top": "ᵀ", "langle": "⟨", "rangle": "⟩", "quad": " ", "qquad": "  ",
    "mid": "|", "left": "", "right": "", "Big": "", "big": "", "Bigl": "", "Bigr": "", "bigl": "", "bigr": "",
    "displaystyle": "", "limits": "", "\\": "; ", ",": " ", ";": " ", " ": " ", "!": "", "{": "{", "}": "}",
}  # fmt: skip
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "vec": "\u20d7", "dot": "\u0307"}
WORDS = ("text", "mathrm", "mathbf", "operatorname", "mathit")
LOWER = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
UPPER = dict(zip("0123456789+-=()iknTt", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁱᵏⁿᵀᵗ", strict=True))


def plain(text: str) -> str:
    """A text with formulas between dollars as lines of at most WIDTH columns; displayed formulas stand alone.

    Paragraphs that are indented are code, and stay as they are.
    """
    paragraphs = []
    for paragraph in re.split(r"\n[ \t]*\n", text.strip("\n")):
        if all(line.startswith("    ") for line in paragraph.splitlines()):
            paragraphs.append(paragraph)
            continue
        lines: list[str] = []
        at = 0
        for found in re.finditer(r"\$\$(.+?)\$\$", paragraph, re.DOTALL):
            lines += _wrapped(paragraph[at : found.start()])
            lines += textwrap.wrap(formula(found[1]), WIDTH, initial_indent="    ", subsequent_indent="        ")
            at = found.end()
        paragraphs.append("\n".join([*lines, *_wrapped(paragraph[at:])]))
    return "\n\n".join(paragraphs)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(FORMULA.sub(lambda found: formula(found[1] or found[2]), text.strip()), WIDTH)


def formula(latex: str) -> str:
    """One formula in one line."""
    said = _sequence(iter(TOKEN.findall(latex)))
    return re.sub(r" +([,.;)])", r"\1", " ".join(said.split()))


def _sequence(tokens: Iterator[str], end: str = "") -> str:
    said = ""
    for token in tokens:
        if token == end:
            break
        said += _said(token, tokens)
    return said


def _argument(tokens: Iterator[str]) -> str:
    """What a command takes: a group in braces, or the next thing."""
    token = next((token for token in tokens if not token.isspace()), "")
    return _sequence(tokens, "}") if token == "{" else _said(token, tokens)


def _said(token: str, tokens: Iterator[str]) -> str:
    name = token[1:]
    if token in "^_":
        return _script(token, _argument(tokens))
    if token == "{":
        return _sequence(tokens, "}")
    if token == "&":
        return ", "
    if not token.startswith("\\"):
        return " " if token.isspace() else token
    if name in ("frac", "tfrac", "dfrac"):
        return f"{_bracketed(_argument(tokens))}/{_bracketed(_argument(tokens))}"
    if name == "sqrt":
        return f"√{_bracketed(_argument(tokens))}"
    if name in ACCENTS:
        inner = _argument(tokens)
        return inner[:1] + ACCENTS[name] + inner[1:]
    if name in ("begin", "end"):
        _argument(tokens)
        return "{ " if name == "begin" else ""
    if name == "partial":
        return f"∂{_argument(tokens)}"
    return _argument(tokens) if name in WORDS else SYMBOLS.get(name, name)


def _script(mark: str, inner: str) -> str:
    """Small letters where Unicode has all of them, else after the mark."""
    letters = LOWER if mark == "_" else UPPER
    small = inner.replace(" ", "")
    if all(letter in letters for letter in small):
        return "".join(letters[letter] for letter in small)
    return f"{mark}{inner}" if len(inner) == 1 else f"{mark}({inner})"


def _bracketed(inner: str) -> str:
    return f"({inner.strip()})" if re.search(r"[ +\-/=·]", inner.strip()) else inner.strip()
