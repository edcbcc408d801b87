"""Places on disk, the config file and the packaged data files."""
