"""The one refusal of the embedded server; its text is a single line that says what to do."""


class EmbeddedError(RuntimeError):
    """The server cannot be offered. `str(error)` is meant for the person at the terminal."""
