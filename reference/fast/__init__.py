"""The homework's training runs, all of them, fast: for the instructor, `python -m reference.fast`.

It trains what the cells of ``reference/hw3.py`` train, from the same seeds and with the same draws, by other
arithmetic. Students do not get it, and it imports nothing of the grader.
"""
