"""Kills of the real program, faults of the service, figures of the store.

The verdicts are taken from outside: from the emulator's own log and from the files on disk, not from what we say of
ourselves.
"""
