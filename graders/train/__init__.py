"""Training with hand-written gradients: the loop, its checkpoint, the report and pictures at the end.

The exercise says what the network is: a module with run() also gives initialise, forward, learning_rate, calibrate,
evaluate and sample, and the names of its parameters are those of its gradients.
It may import verdict/ and what stands before it, but not authoring/.
Begin with `run.main`; then `subject` (whose gradients), `steppers` (one step), `loop` (all of them).
"""


class TrainingError(Exception):
    """Why a training cannot begin or go on; says what to do."""
