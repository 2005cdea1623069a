"""Grading of a class: who handed in what, each file marked once, results that outlive the process."""


class GradingError(Exception):
    """Grading cannot begin or go on; the message says what to do."""
