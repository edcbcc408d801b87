"""gsvr-tui: libraries of videos to checked reports with Google Gemini, from the terminal."""

__version__ = "0.1.0"
