"""What the environment asks of trace mode."""


def apply():
    """Do what the variables say."""
