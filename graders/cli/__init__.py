"""The command `backprop-ninja`: a file for each who types (student, author, instructor, train).

It may import everything, and nothing imports it.
Begin with `main.main`; `shared` holds what several commands need.
"""
