"""The one-machine mode: everything that Anteroom needs, started by one command."""


class Refused(Exception):
    """The command cannot do what was asked; the message is one plain sentence."""
