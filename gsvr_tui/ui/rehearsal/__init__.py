"""A scripted service and scenes: the same screens without a network, for tests, benchmarks and pictures."""
