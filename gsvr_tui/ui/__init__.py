"""The Textual screens and widgets; imports core, never service internals."""
