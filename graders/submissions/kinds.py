"""What a file is, as its name's ending says, and why the others are left alone."""

from pathlib import PurePosixPath

ZIP = (".zip",)
NOTEBOOK = ".ipynb"
SOURCES = (".py", NOTEBOOK)
TAR = (".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz")
CLOSED = (".7z", ".rar", ".tar.zst", ".tzst", ".zst", ".gz", ".bz2", ".xz", ".zipx", ".dmg", ".iso", ".jar")
LISTS = (".csv", ".tsv", ".xls", ".xlsx", ".ods", ".yml", ".yaml", ".json", ".xml", ".log", ".toml", ".ini", ".db")
DOCUMENTS = (
    *(".txt", ".md", ".rst", ".pdf", ".doc", ".docx", ".odt", ".rtf", ".tex", ".pages", ".html", ".htm", ".pyc"),
    *(".png", ".jpg", ".jpeg", ".gif", ".heic", ".r", ".m", ".c", ".cpp", ".java", ".js", ".pptx", ".ppt", ".odp"),
)
IGNORED = {"__MACOSX", "__pycache__", "site-packages", "node_modules"}
NOT_ANSWERS = {"conftest", "setup", "sitecustomize", "usercustomize", "__init__", "torch", "numpy", "graders", "pytest"}
HAND_IN = "hand in the .py or .ipynb file"


def clean(name: str) -> str:
    """Without the spaces and dots at its end, which some systems add and others forbid."""
    return name.rstrip(" .") or name


def stem(name: str) -> str:
    """The name without the endings of an archive, a Python file or a notebook."""
    name = clean(name)
    for ending in (*ZIP, *TAR, *SOURCES):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def without_ending(name: str) -> str:
    """A file's name without an ending that is known here. Any other ending may be a part of somebody's name."""
    short = stem(name)
    for ending in sorted((*CLOSED, *LISTS, *DOCUMENTS), key=len, reverse=True):
        if short == clean(name) and short.lower().endswith(ending) and len(short) > len(ending):
            return stem(short[: -len(ending)])
    return short


def _ends(name: str, endings: tuple[str, ...]) -> bool:
    return clean(name).lower().endswith(endings)


def is_zip(name: str) -> bool:
    return _ends(name, ZIP)


def is_archive(name: str) -> bool:
    return _ends(name, ZIP + TAR)


def is_closed(name: str) -> bool:
    """An archive of a kind that is not opened."""
    return _ends(name, CLOSED) and not is_archive(name)


def is_list(name: str) -> bool:
    """What a platform or an instructor writes beside the hand-ins, by its ending."""
    return _ends(name, LISTS)


def is_source(name: str) -> bool:
    return _ends(name, SOURCES)


def is_notebook(name: str) -> bool:
    return _ends(name, (NOTEBOOK,))


def hidden(path: PurePosixPath) -> str:
    """The first part of a path that belongs to a system, an editor or an environment; "" if none does."""
    return next((part for part in path.parts if part.startswith(".") or part in IGNORED), "")


def why_ignored(name: str) -> str:
    """Why a file is not graded; "" for one that may be an answer, or an archive that is opened."""
    own = stem(name).lower()
    if is_source(name):
        shadows = own in NOT_ANSWERS or own.startswith("test_") or own.endswith("_test")
        return "a file of this name is a test or shadows a library" if shadows else ""
    if is_archive(name):
        return ""
    ending = PurePosixPath(clean(name)).suffix.lower()
    if is_closed(name):
        return f"a {ending} archive is not opened: hand in a .zip"
    return f"a {ending} file is not graded: {HAND_IN}" if 1 < len(ending) < 12 else f"not graded: {HAND_IN}"
