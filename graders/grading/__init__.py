"""Grading of a class: who handed in what, each file marked once, results that outlive the process."""
