"""A Gemini API on loopback for the demo, the tests and what-if."""
