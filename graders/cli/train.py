"""`backprop-ninja train`: what can be said to a training."""

import sys
from pathlib import Path
from typing import Any

import click

from graders.cli.shared import exercises_option, find_folder, in_words
from graders.cli.student import kits_with_stubs


@click.command()
@click.option("--reference", is_flag=True, help="Train with the reference solution instead of yours.")
@click.option("--fast", is_flag=True, default=None, help="With --reference: its fast variant.")
@click.option("--steps", type=int, help="How many steps (200,000 as in the lecture).")
@click.option(
    "--names", type=click.Path(resolve_path=True), help="Your own list, one word a line (the embedded names of 2017)."
)
@click.option("--seed", type=int, help="Of parameters and batches (2147483647); the names take this plus 10.")
@click.option("--batch", type=int, help="Examples in a batch (32).")
@click.option("--hidden", type=int, help="Neurons of the hidden layer (200).")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default="runs", show_default=True, help="Folder."
)
@click.option("--resume", is_flag=True, help="Go on where the run in the folder was stopped.")
@click.option("--compare", is_flag=True, help="Train with autograd as well, for its loss curve and time.")
@click.option("--diagnostics", is_flag=True, help="Draw histograms, saturation, updates and dlogits too.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads of torch: at these sizes one is fastest.",
)
@exercises_option
@in_words
def train(
    reference: bool,
    out: Path,
    resume: bool,
    compare: bool,
    diagnostics: bool,
    threads: int,
    exercises: Path | None,
    **given: Any,
) -> None:
    """Train the network of exercise 4 with your own backward pass."""
    from graders.names import NamesError
    from graders.train import TrainingError, run, subject

    if given["fast"] and not reference:
        raise click.ClickException("--fast goes with --reference: it is a variant of the reference.")
    request = run.Request(given, out, resume, compare, diagnostics, threads)
    try:
        if reference:
            trained = subject.reference_subject(find_folder("reference"))
        else:
            trained = subject.student_subject(kits_with_stubs(exercises or find_folder("exercises")))
        sys.exit(run.main(trained, request))
    except (TrainingError, NamesError) as error:
        raise click.ClickException(str(error)) from None
