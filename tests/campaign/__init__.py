"""A fuzz campaign on whole commands: inputs as operators send them, and what comes of them.

python -m tests.campaign --seed 1 --runs 100

Each case is a set of small valid inputs of which everything is known, and one to three mutations
of it. What must come out is told by plain Python, by none of the library's code.
"""
