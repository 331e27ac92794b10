"""Connects a system to a source: writes its files, tries them, and waits for what it tells first."""
