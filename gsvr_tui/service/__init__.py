"""The background worker service: drives core, calls gemini, media, store, secrets and report."""
