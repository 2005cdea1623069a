"""Why a wrong gradient is wrong: a cause and a sentence for the answers to one gradient at all cases.

It may import oracle/ and what stands before it, and never runs a student's code.
Begin with `diagnose.diagnose`: it asks for the shape, a factor, the branches of the graph, the hypotheses, the
fingerprints of known wrong answers, two mistakes at once (`parts`), a slip on the way (`ways`). The first that fits at
all cases is named; where none does, a broken law (`laws`). A sentence is a fact about the numbers, not about the code.
"""
