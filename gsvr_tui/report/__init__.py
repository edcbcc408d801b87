"""Templates, prompts, the report document, the quality gate and the renderers."""
