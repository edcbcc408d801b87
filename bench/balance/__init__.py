"""The balancing benchmark: the real client and its peers against the same emulator, on the same jobs.

`scenes` says what the world is like, `bound` how fast anybody could be in it, `arena` runs a contestant, `figures`
reads what happened out of the emulator's log, `table` prints it, `command` is the command line.
"""
