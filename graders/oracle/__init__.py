"""What autograd says: the right answer to any question about a forward pass, and how an answer compares with it.

It may import exercise/, student/ (questions and answers), outcome and words.
Begin with `gradient.Oracle`; then `questions.question` (what to ask), `trial.Trial` (an answer beside what is true),
`compare.match` (the pass mark), `run` (a short training).
"""
