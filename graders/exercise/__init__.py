"""What an exercise module offers: items, a forward pass, cases, and the stub and kit that are made of it.

It runs the author's code only, never a student's. It imports words.py only.
Begin with `module.load`; then `forward.run_forward`, `cases.cases`, `stub.stub`, `kit.open_kit`.
"""
