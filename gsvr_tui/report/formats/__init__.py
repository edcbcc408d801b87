"""Every format of a report: pure functions of the document, listed in `table`."""
