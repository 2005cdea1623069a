"""nbgrader's side: its course, its preprocessors and its gradebook, with our own grading between them.

It imports nbgrader, which is an extra, and may import all that notebook/ may.
Begin with `course.configure`, which names the parts that nbgrader calls: `exporter` reads a submission (`rebuild`),
`grade` grades it (`session`), `save` writes scores and comments (`gradebook`).
"""
