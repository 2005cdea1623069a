"""The embedded names, or a user's own: a vocabulary, examples and batches for a character model."""

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import torch
from torch import Tensor

EMBEDDED = Path(__file__).parent / "data" / "names.txt"
END = "."  # stands before the first and after the last character of a word; always index 0
NAMES_ALPHABET = END + ascii_lowercase


class NamesError(ValueError):
    """A list of words that cannot be used; says what happened, where, and what to do."""


def read_names(path: Path | None = None) -> list[str]:
    """The words of a UTF-8 file, one a line; without a path, the embedded names of 2017.

    Surrounding white space is stripped, blank lines are skipped, nothing else is changed.
    Raises NamesError for a file that cannot be read, is not UTF-8, or holds fewer than two words.
    """
    path = EMBEDDED if path is None else Path(path)
    if path.is_dir():
        raise NamesError(f"{path} is a directory: give a text file with one word a line.")
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise NamesError(f"{path} does not exist: check the spelling of the path.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NamesError(f"{path} cannot be read ({reason}): check its permissions.") from error
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")  # some editors put a mark there
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        where = f"line {line}, byte {error.start} of the file (0x{raw[error.start]:02x})"
        raise NamesError(f"{path} is not UTF-8 at {where}: save it as UTF-8 text.") from error
    words = [word for line_text in text.splitlines() if (word := line_text.strip())]
    if not words:
        raise NamesError(f"{path} holds no words: put one word on each line.")
    if len(words) == 1:
        raise NamesError(
            f"{path} holds a single word, {words[0][:40]!r}, and cannot be split for training and "
            "testing: put one word on each line."
        )
    return words


def vocabulary(words: Sequence[str]) -> str:
    """'.' and then the sorted distinct characters: a character's index is its position.

    Raises NamesError where '.' is part of a word, since it marks the words' ends.
    """
    characters = set("".join(words))
    if END in characters:
        number, word = next((i, w) for i, w in enumerate(words, 1) if END in w)
        raise NamesError(
            f"Word {number}, {word[:40]!r}, contains '{END}', which marks the end of a word: remove it from the list."
        )
    return END + "".join(sorted(characters))


def examples(words: Sequence[str], block_size: int, alphabet: str) -> tuple[Tensor, Tensor]:
    """Every character and its context: X (N, block_size) int64 and Y (N,) int64.

    N counts each word's characters and its end; contexts are padded with 0 on the left.
    `alphabet` is a `vocabulary`; NamesError names the characters of the words that it lacks.
    """
    strangers = "".join(sorted(set(vocabulary(words)) - set(alphabet)))
    if strangers or not alphabet.startswith(END):
        fault = f"lacks {strangers!r}" if strangers else f"does not start with '{END}'"
        raise NamesError(f"The alphabet {alphabet!r} {fault}: take it from vocabulary(words).")
    code_points = np.frombuffer(END.join([*words, ""]).encode("utf-32-le"), dtype="<u4")
    index_of = np.zeros(max(map(ord, alphabet)) + 1, dtype=np.int64)
    index_of[[ord(character) for character in alphabet]] = np.arange(len(alphabet))
    y = index_of[code_points]
    x = np.zeros((len(y), block_size), dtype=np.int64)
    inside_word = y[:-1] != 0  # after an end the context starts afresh, from zeros
    earlier = y
    for column in reversed(range(block_size)):
        x[1:, column] = earlier[:-1] * inside_word
        earlier = x[:, column]
    return torch.from_numpy(x), torch.from_numpy(y)


def split(words: Sequence[str], seed: int = 42) -> tuple[list[str], list[str], list[str]]:
    """Shuffled as `random.seed(seed); random.shuffle(words)` does, cut at 80 % and 90 %.

    Neither `words` nor the global random state is changed.
    """
    shuffled = list(words)
    random.Random(seed).shuffle(shuffled)
    first, second = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
    return shuffled[:first], shuffled[first:second], shuffled[second:]


@cache
def _training_examples(block_size: int) -> tuple[Tensor, Tensor]:
    return examples(split(read_names())[0], block_size, NAMES_ALPHABET)


def batch_of_names(rng: torch.Generator, n: int, block_size: int, vocab: int) -> tuple[Tensor, Tensor]:
    """A batch Xb (n, block_size) int64, Yb (n,) int64 of indices below `vocab`, drawn from rng.

    For 27 they are training examples of the embedded names, otherwise random, with repeats
    guaranteed (from n = 2 on): a gradient that overwrites where it should add must show.
    """
    if vocab == len(NAMES_ALPHABET):
        x, y = _training_examples(block_size)
        chosen = torch.randint(0, len(x), (n,), generator=rng)
        return x[chosen], y[chosen]
    xb = torch.randint(0, vocab, (n, block_size), generator=rng)
    yb = torch.randint(0, vocab, (n,), generator=rng)
    # Along a row and down a column: a loop over columns would hide the one, over rows the other.
    xb[0, :2] = xb[:2, 0] = int(xb[0, 0])
    yb[:2] = int(yb[0])
    return xb, yb
