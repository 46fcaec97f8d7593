"""The gateway's own errors.

GatewayError
    SettingsError    our fault: the configuration or the command line; exit code 2
    ConfigError      a program's fault: what it declared could never be judged
    ServiceError     a part that the daemon cannot live without failed at run time; exit code 1
    StorageError     the journal does not hold what it was given: whoever needed it recorded must not act
"""


class GatewayError(Exception):
    """Root of everything the gateway raises; the text is one line that a person can act on."""


class SettingsError(GatewayError):
    """The configuration or the command line is wrong. One line a problem: where, what, what to do."""

    def __init__(self, *problems: str) -> None:
        """Keep every problem found in one run, in the order of the file."""
        super().__init__("\n".join(problems))
        self.problems = problems


class ConfigError(GatewayError):
    """A program declared something that could never be judged, such as a constraint without a limit."""


class ServiceError(GatewayError):
    """Something the daemon needs is not to be had: a port is taken, a file cannot be read."""


class StorageError(GatewayError):
    """The journal refused, or cannot say that what it was given is on the disk. Nothing may rest on it."""

    def __init__(self, code: str, reason: str) -> None:
        """Code: `journal_unavailable` or `queue_full`, as in a command's reply. Reason: one line for a person."""
        super().__init__(reason)
        self.code = code
