"""The only place that imports tinydb: state, answers, the journal."""
