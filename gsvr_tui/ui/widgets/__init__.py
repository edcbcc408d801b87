"""Widgets: one idea each, no knowledge of the screen they stand on."""
