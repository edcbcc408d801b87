"""The only place that imports google.genai or speaks HTTP to the Gemini API."""
