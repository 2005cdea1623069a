"""What an author's reference/ becomes: the released stubs and kits, and the kit's check of itself.

It may import verdict/ and what stands before it.
Begin with `release.build`, or with `selfcheck`. `catalogue` reads what the author keeps beside an exercise, `mutants`
makes more wrong answers, `library` takes the fingerprints of all of them.
"""
