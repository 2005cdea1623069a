"""What people and programs read: data in, text and pictures out. No verdict is made here.

It may import grading/ and what stands before it.
Begin with `terminal` for a student's own check and `publish.publish` for a class: `scores` (the class as plain values),
`tally`, `exports`, `pages`, and the pictures `heatmaps`, `graph`, `signs`.
"""
