"""The screens: everything that needs Textual. Imports core and its messages, never the service."""
