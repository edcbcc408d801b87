"""The only place that stores and finds keys: environment, keyring, encrypted vault."""
