"""Names: reading, vocabulary, examples, split and batches."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from graders import names

SHA256 = "91691165b471c338ee35387260590f0fdc23fcb50509b9ccfe1c879c7ac39a1e"
ALPHABET = ".abcdefghijklmnopqrstuvwxyz"
LETTERS_FROM_AFAR = ["zoë", "日本", "🙂ab", "Ann-Lee", "o'neil"]


@pytest.fixture(scope="module")
def embedded() -> list[str]:
    return names.read_names()


def lecture_examples(words: list[str], block_size: int, alphabet: str) -> tuple[list[list[int]], list[int]]:
    """The plain loop of the lecture, as the standard to compare with."""
    index_of = {character: index for index, character in enumerate(alphabet)}
    contexts, targets = [], []
    for word in words:
        context = [0] * block_size
        for character in word + ".":
            contexts.append(context)
            targets.append(index_of[character])
            context = [*context, index_of[character]][1:]
    return contexts, targets


def test_embedded_list_is_the_documented_one(embedded: list[str]) -> None:
    assert hashlib.sha256(names.EMBEDDED.read_bytes()).hexdigest() == SHA256
    assert SHA256 in (names.EMBEDDED.parent / "README.md").read_text(encoding="utf-8")
    assert (len(embedded), len(set(embedded))) == (32_469, 29_910)
    assert {len(word) for word in embedded} == set(range(2, 16))
    assert embedded[:3] == ["emma", "olivia", "ava"]
    assert names.vocabulary(embedded) == names.NAMES_ALPHABET == ALPHABET


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"emma\nava\n", ["emma", "ava"]),
        (b"  emma\t\n\n \nava", ["emma", "ava"]),
        (b"emma\r\nava\r\n", ["emma", "ava"]),
        (b"\xef\xbb\xbfemma\nava\n", ["emma", "ava"]),
        (b"Emma\nEmma\n", ["Emma", "Emma"]),
        ("zoë\nann lee\n".encode(), ["zoë", "ann lee"]),
    ],
    ids=["plain", "white space", "CRLF", "byte order mark", "as is", "beyond ASCII"],
)
def test_reads_a_users_file(tmp_path: Path, content: bytes, expected: list[str]) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    assert names.read_names(path) == expected


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (None, "does not exist", "check the spelling"),
        (b"", "holds no words", "one word on each line"),
        (b" \n\n\t\n", "holds no words", "one word on each line"),
        (b"emma\n", "holds a single word, 'emma'", "one word on each line"),
        (b"emma\nzo\xeb\n", "not UTF-8 at line 2, byte 7 of the file (0xeb)", "save it as UTF-8"),
        (b"\xff\xfee\x00m\x00", "not UTF-8 at line 1, byte 0 of the file (0xff)", "save it as"),
    ],
    ids=["missing", "empty", "blank", "single", "latin-1", "utf-16"],
)
def test_bad_list_says_what_where_and_what_to_do(tmp_path: Path, content: bytes | None, what: str, remedy: str) -> None:
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(names.NamesError) as caught:
        names.read_names(path)
    for part in (str(path), what, remedy):
        assert part in str(caught.value)


def test_directory_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(names.NamesError, match="is a directory: give a text file"):
        names.read_names(tmp_path)


def test_unreadable_file_gives_the_systems_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(names.NamesError, match=r"words.*\(Permission denied\): check its perm"):
        names.read_names(tmp_path / "words.txt")


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], "."), (["ba", "ab"], ".ab"), (["bA-"], ".-Ab"), (["zoë"], ".ozë")],
)
def test_vocabulary(words: list[str], expected: str) -> None:
    assert names.vocabulary(words) == expected


@pytest.mark.parametrize("use", [names.vocabulary, lambda words: names.examples(words, 3, ALPHABET)])
def test_full_stop_inside_a_word(use: Callable[[list[str]], object]) -> None:
    with pytest.raises(names.NamesError, match=r"Word 2, 'j\.r', .* remove it"):
        use(["ava", "j.r"])


@pytest.mark.parametrize("block_size", [0, 1, 2, 3, 8, 20])
@pytest.mark.parametrize("words", [[], [""], ["a"], ["", "ab", ""], ["emma", "ava", "bo"], LETTERS_FROM_AFAR])
def test_examples_equal_the_plain_loop(words: list[str], block_size: int) -> None:
    alphabet = names.vocabulary(words)
    x, y = names.examples(words, block_size, alphabet)
    contexts, targets = lecture_examples(words, block_size, alphabet)
    assert (x.tolist(), y.tolist()) == (contexts, targets)
    assert x.shape == (len(targets), block_size)
    assert x.dtype == y.dtype == torch.int64


def test_examples_of_all_names_equal_the_plain_loop(embedded: list[str]) -> None:
    x, y = names.examples(embedded, 3, ALPHABET)
    contexts, targets = lecture_examples(embedded, 3, ALPHABET)
    assert torch.equal(x, torch.tensor(contexts))
    assert torch.equal(y, torch.tensor(targets))
    assert len(y) == 231_718


def test_examples_of_the_first_name() -> None:
    x, y = names.examples(["emma"], 3, ALPHABET)
    assert x.tolist() == [[0, 0, 0], [0, 0, 5], [0, 5, 13], [5, 13, 13], [13, 13, 1]]
    assert y.tolist() == [5, 13, 13, 1, 0]


@pytest.mark.parametrize(
    ("alphabet", "fault"),
    [
        (".ab", r"lacks 'c'"),
        (".bé", r"lacks 'ac'"),
        ("", r"lacks '\.abc'"),
        ("abc.", r"does not start with '\.'"),
    ],
)
def test_examples_refuse_an_alphabet_that_does_not_fit(alphabet: str, fault: str) -> None:
    with pytest.raises(names.NamesError, match=rf"{fault}: take it from vocabulary"):
        names.examples(["abc"], 3, alphabet)


@pytest.mark.parametrize("seed", [42, 7])
def test_split_is_the_global_shuffle_cut_at_80_and_90_percent(embedded: list[str], seed: int) -> None:
    expected = list(embedded)
    state = random.getstate()
    random.seed(seed)
    random.shuffle(expected)
    random.setstate(state)
    untouched = list(embedded)

    training, validation, test = names.split(embedded, seed)

    assert training + validation + test == expected
    assert (len(training), len(validation), len(test)) == (25_975, 3_247, 3_247)
    assert embedded == untouched
    assert random.getstate() == state


def test_split_example_counts(embedded: list[str]) -> None:
    counts = [len(names.examples(part, 3, ALPHABET)[1]) for part in names.split(embedded)]
    assert counts == [185_346, 23_267, 23_105]


@pytest.mark.parametrize("count", [2, 3, 10, 11, 19])
def test_split_sizes_of_short_lists(count: int) -> None:
    parts = names.split([str(number) for number in range(count)])
    cuts = [0, int(0.8 * count), int(0.9 * count), count]
    assert [len(part) for part in parts] == [cuts[i + 1] - cuts[i] for i in range(3)]


def rng(seed: int = 2147483647) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_batch_of_27_is_drawn_from_the_training_split(embedded: list[str]) -> None:
    x, y = names.examples(names.split(embedded)[0], 3, ALPHABET)
    chosen = torch.randint(0, 185_346, (32,), generator=rng())
    xb, yb = names.batch_of_names(rng(), 32, 3, 27)
    assert torch.equal(xb, x[chosen])
    assert torch.equal(yb, y[chosen])


def test_writing_into_a_batch_leaves_the_next_one_alone() -> None:
    xb, yb = names.batch_of_names(rng(), 32, 3, 27)
    before = xb.clone(), yb.clone()
    xb.zero_()
    yb.zero_()
    after = names.batch_of_names(rng(), 32, 3, 27)
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])


@pytest.mark.parametrize("vocab", [2, 26, 27, 28, 1009])
@pytest.mark.parametrize(("n", "block_size"), [(1, 1), (2, 1), (2, 3), (5, 2), (32, 3), (31, 8)])
def test_batches_have_their_shape_and_range_and_repeat_with_the_seed(n: int, block_size: int, vocab: int) -> None:
    xb, yb = names.batch_of_names(rng(), n, block_size, vocab)
    again = names.batch_of_names(rng(), n, block_size, vocab)
    assert (xb.shape, yb.shape) == ((n, block_size), (n,))
    for tensor, same in zip((xb, yb), again, strict=True):
        assert tensor.dtype == torch.int64
        assert 0 <= int(tensor.min()) <= int(tensor.max()) < vocab
        assert torch.equal(tensor, same)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("n", "block_size"), [(2, 1), (2, 3), (3, 2), (7, 5)])
def test_repeats_are_guaranteed_where_chance_would_not_bring_them(n: int, block_size: int, seed: int) -> None:
    xb, yb = names.batch_of_names(rng(seed), n, block_size, 1_000_003)
    assert xb[1, 0] == xb[0, 0]
    assert block_size == 1 or xb[0, 1] == xb[0, 0]
    assert yb[1] == yb[0]


def test_other_seeds_give_other_batches() -> None:
    for vocab in (27, 1009):
        first, _ = names.batch_of_names(rng(1), 32, 3, vocab)
        second, _ = names.batch_of_names(rng(2), 32, 3, vocab)
        assert not torch.equal(first, second)


def test_importing_names_needs_only_torch_and_numpy() -> None:
    program = (
        "import sys, numpy, torch; known = set(sys.modules); import graders.names;"
        "print({name.partition('.')[0] for name in set(sys.modules) - known}"
        " - sys.stdlib_module_names)"
    )
    root = Path(names.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "{'graders'}"
