"""What can go wrong between a driver and its device.

DriverError
    DeviceFault      their fault: the device, the wire or its server
        LinkLost     the connection is of no more use and has to be opened anew

A bad *reading* is no exception: it is a sample of bad quality.
"""


class DriverError(Exception):
    """Root of everything that a driver raises."""


class DeviceFault(DriverError):
    """The device or the wire did not do what was asked; the next request may succeed.

    `kind` is one stable lower-case word (timeout, refused, bad_reply, exception_2, ...): the reason
    of the samples that it spoils and the label of `plantgate_device_errors_total`.
    """

    def __init__(self, kind: str, message: str) -> None:
        """Message: operation, device and cause, in one line a person can act on."""
        super().__init__(message)
        self.kind = kind


class LinkLost(DeviceFault):
    """The connection could not be opened, or is gone; nothing more can be asked of it."""
