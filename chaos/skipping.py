"""What cannot be done on this machine is skipped, and says why."""


class NotHere(Exception):
    """This fault cannot be injected here."""
