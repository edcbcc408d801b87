"""Screens: regions, verbs and the commands they send."""
