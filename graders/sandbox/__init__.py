"""The security boundary: questions to a submission that nobody has reason to trust. Nothing it says is believed.

Trusted, on the supervisor's side: sandbox, task, wire, outcome, python_says, supervise, launch, clock, selftest.
Not trusted, beside the submission: zygote, child, confine, by_hand. A trusted file never imports one of these.
Both sides may import student/, exercise/, outcome and words, and never oracle/, diagnosis/, verdict/ or grading/:
what is right and what is secret stays outside of these processes.
Begin with `sandbox.Sandbox.answers`; then `supervise` (what comes back), `child` (what runs inside).
"""
