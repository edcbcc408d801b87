"""The screens: everything that needs Textual. Imports core and its messages, never the service."""

import os

# Textual reads this when it is first imported. A key pressed right after a repaint waits for the next frame: at 60
# frames a second that wait is the largest part of the time from key to paint. Idle screens paint nothing either way.
os.environ.setdefault("TEXTUAL_FPS", "120")
