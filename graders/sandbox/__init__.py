"""Grading of other people's code: nothing that a submission does or says is believed."""
