"""Looks at all that a figure goes through, and says what to do where something is not as it should be."""
