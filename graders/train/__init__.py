"""Training with a hand-written backward pass: the loop, its checkpoint, what is told and drawn at the end.

What the network is, the exercise says: a module with run() also gives initialise, forward, learning_rate, calibrate,
evaluate and sample, and the names of its parameters are those of its gradients.
"""


class TrainingError(Exception):
    """Why a training cannot begin or go on; says what to do."""
