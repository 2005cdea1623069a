"""The command `backprop-ninja`. Its commands lie in a file for each who types them; each calls what does the work."""

import click

from graders.cli import author, instructor, student, train


@click.group()
@click.version_option(package_name="backprop-ninja")
def main() -> None:
    """Write the backward pass by hand; every gradient is checked against autograd."""


for_students = student.status, student.hint, student.solution, train.train
for command in (*for_students, author.release, author.selfcheck, instructor.grade, instructor.course):
    main.add_command(command)


if __name__ == "__main__":
    main()
