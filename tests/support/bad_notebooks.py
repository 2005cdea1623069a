"""Notebooks that nobody should hand in, and what is to be said of each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.course import Notebook

Write = Callable[[Path, Notebook], object]


@dataclass(frozen=True)
class Bad:
    """`right` gradients are graded all the same; None: nothing can be graded, and nothing counts 0.

    `sentence` stands on nbgrader's pages, and in what `backprop-ninja grade` writes unless that has other words.
    """

    write: Write
    sentence: str
    right: int | None = None
    sentence_of_grade: str = ""


def raw(content: bytes) -> Write:
    return lambda path, notebook: path.write_bytes(content)


def changed(change: Callable[[Notebook], object]) -> Write:
    def write(path: Path, notebook: Notebook) -> None:
        change(notebook)
        path.write_text(json.dumps(notebook))

    return write


def pipe(path: Path, notebook: Notebook) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path, notebook: Notebook) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path, notebook: Notebook) -> None:
    """To the right answers of somebody else."""
    other = path.parents[3] / "other.ipynb"
    other.write_text(json.dumps(notebook))
    path.unlink()
    path.symlink_to(other)


def rename_ids(notebook: Notebook) -> None:
    """All cells are those of another exercise."""
    for cell in notebook["cells"]:
        marks = cell["metadata"]["nbgrader"]
        marks["grade_id"] = marks["grade_id"].replace("ex2_cross_entropy", "ex1_atomic")


def older(notebook: Notebook) -> None:
    notebook["metadata"]["backprop_ninja"]["release"] = "0123456789ab"
    notebook["cells"] = [c for c in notebook["cells"] if "-about-" not in c["id"]]


def schema(version: int) -> Callable[[Notebook], None]:
    def change(notebook: Notebook) -> None:
        for cell in notebook["cells"]:
            cell["metadata"]["nbgrader"]["schema_version"] = version
        notebook["cells"][0]["metadata"]["nbgrader"] = {"grade": True}
        notebook["cells"][1]["metadata"] = "none"
        notebook["cells"].append(7)

    return change


def no_answers(notebook: Notebook) -> None:
    notebook["cells"] = [{"cell_type": "markdown", "metadata": {}, "source": "I did it on paper."}]


def stuffed(path: Path, notebook: Notebook) -> None:
    """50 MB of outputs."""
    text = {"output_type": "stream", "name": "stdout", "text": "x" * 50_000_000}
    notebook["cells"][-1]["outputs"] = [text]
    path.write_text(json.dumps(notebook))


def long_cell(notebook: Notebook) -> None:
    notebook["cells"].insert(3, {"cell_type": "code", "metadata": {}, "source": ["x = 1\n"] * 20000})


BAD: dict[str, Bad] = {
    "b_empty": Bad(raw(b""), "the notebook is empty (0 bytes)"),
    "b_not_json": Bad(raw(b"PK\x03\x04 not a notebook"), "this is not a notebook (not JSON"),
    "b_binary": Bad(raw(b"\xff\xfe\x00\x01" * 100), "this is not a notebook (not JSON"),
    "b_deep": Bad(raw(b"[" * 500_000), "this is not a notebook (not JSON"),
    "b_list": Bad(raw(b"[1, 2]"), "this is not a notebook (it has no cells)"),
    "b_old_format": Bad(raw(b'{"nbformat": 3, "worksheets": []}'), "this is not a notebook (it has no cells)"),
    "b_huge": Bad(stuffed, "the notebook has 50 MB"),
    "b_many": Bad(raw(b'{"cells": [' + b"{}," * 5000 + b"{}]}"), "the notebook has 5001 cells"),
    "b_pipe": Bad(pipe, "this is not a notebook, nor any file", sentence_of_grade="a link or a device, not a file"),
    "b_folder": Bad(folder, "the notebook cannot be read", sentence_of_grade="a folder, not a file"),
    "b_link": Bad(link, "the notebook cannot be read", sentence_of_grade="a link or a device, not a file"),
    "b_no_answers": Bad(changed(no_answers), "no cell of the released notebook is in it", 0),
    "b_other_exercise": Bad(changed(rename_ids), "cells of another exercise (backprop_ninja/ex1_atomic)", 1),
    "b_older": Bad(changed(older), "this notebook is of another release", 1),
    "b_schema": Bad(changed(schema(99)), "", 1),
    "b_schema_0": Bad(changed(schema(0)), "", 1),
    "b_long_cell": Bad(changed(long_cell), "it is longer than 64 kB", 1),
}
