"""Checks of user input: each error says what was given and what to do."""
