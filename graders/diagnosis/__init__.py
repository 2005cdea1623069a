"""Why a wrong gradient is wrong: a cause and a sentence for the answers to one gradient at all cases.

Begin with `diagnose`: it asks for the shape, a factor, the branches of the graph, the hypotheses and the fingerprints
of known wrong answers, in that order. It imports the oracle and never runs a student's code.
"""
