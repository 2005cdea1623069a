"""A folder of submissions as it is read, without the process that bounds the reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graders.submissions.entries import Wanted, read_entry
from graders.submissions.ledger import Attempt, Fate, Line
from graders.submissions.naming import Offers
from graders.submissions.people import Person, people_of
from graders.submissions.roster import read_person


@dataclass(frozen=True)
class Student:
    """What one student handed in."""

    person: Person
    attempts: Mapping[str, list[Attempt]]
    lines: list[Line]

    def counted(self, exercise: str) -> Attempt | None:
        return self.attempts[exercise][-1] if self.attempts.get(exercise) else None

    @property
    def unread(self) -> list[Line]:
        return [line for line in self.lines if line.fate is Fate.UNREADABLE]


def students_in(folder: Path, offers: Offers, releases: Mapping[str, str] | None = None) -> dict[str, Student]:
    wanted = Wanted(offers, releases or {})
    people = people_of(folder, offers, lambda path: {})
    return {
        name: Student(person, *read_person(folder, person, wanted, read_entry))
        for name, person in people.students.items()
    }
