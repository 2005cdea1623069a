"""The command `backprop-ninja`. Its commands lie in a file for each who types them; each calls what does the work."""

from typing import Any

import click

from graders.cli import author, instructor, student, train
from graders.student.commands import command


class Commands(click.Group):
    """A group that calls itself, in what it prints, by what can be typed."""

    def main(self, args: Any = None, prog_name: str | None = None, *rest: Any, **extra: Any) -> Any:
        return super().main(args, prog_name or command("backprop-ninja"), *rest, **extra)


@click.group(cls=Commands)
@click.version_option(package_name="backprop-ninja")
def main() -> None:
    """Write the backward pass by hand; every gradient is checked against autograd."""


for_students = student.status, student.hint, student.solution, train.train
for each in (*for_students, author.release, author.selfcheck, instructor.grade, instructor.course):
    main.add_command(each)


if __name__ == "__main__":
    main()
