"""What an author's reference/ becomes: the released stubs and kits, and the kit's check of itself.

Begin with `release`, or with `selfcheck`. `catalogue` reads what the author keeps beside an exercise, `mutants` makes
more wrong answers, `library` takes the fingerprints of all of them. It imports exercise, student, oracle, diagnosis
and verdict.
"""
