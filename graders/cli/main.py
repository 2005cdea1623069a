"""The command `backprop-ninja`. Its commands lie in a file for each who types them; each calls what does the work."""

import click

from graders.cli import author, instructor, student, train


@click.group()
@click.version_option(package_name="backprop-ninja")
def main() -> None:
    """Write the backward pass by hand; every gradient is checked against autograd."""


for command in (
    student.status,
    student.hint,
    student.solution,
    author.release,
    author.selfcheck,
    instructor.grade,
    instructor.course,
    train.train,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
