"""Recorded files: opened whatever packs them, and the formats that are ours."""
