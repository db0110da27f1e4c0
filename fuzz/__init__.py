"""Coverage-guided fuzzing by atheris: bytes become input, and input finds what is missed."""
