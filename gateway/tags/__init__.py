"""Tags: what they are, and the process image of their newest samples."""
