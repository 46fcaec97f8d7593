"""The keys of a computed tag: which of the forms it has, and from which tags it is made."""

from dataclasses import dataclass

from drivers.values import Seconds
from gateway.tags.computed.expression import Expression, parse
from gateway.tags.computed.redundant import Vote
from gateway.tags.computed.tree import ExpressionError

FORMS = ("expression", "median", "vote", "average", "total", "minimum", "maximum")
WINDOWED = ("average", "total", "minimum", "maximum")
SHORTEST, LONGEST = 1.0, 31 * 86400.0
"""Seconds of a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedPoint:
    """What a computed tag is made of; exactly one of the forms."""

    expression: str = ""
    """Arithmetic, comparisons and `a if b else c` over tags: `boiler.steam_flow / max(boiler.fuel_flow, 0.001)`."""
    median: tuple[str, ...] = ()
    """The median of these tags, 3 to 16 of them."""
    deviation: float | None = None
    """With `median`: a tag further away from it than this makes it uncertain."""
    vote: Vote | None = None
    """True where at least so many of several tags are past a limit."""
    average: str = ""
    """The mean of this tag over the window, weighted by time."""
    total: str = ""
    """The integral of this tag, which is a rate, over the window."""
    minimum: str = ""
    """The smallest value of this tag within the window."""
    maximum: str = ""
    """The greatest value of this tag within the window."""
    window: Seconds | None = None
    """How far back average, total, minimum and maximum look."""
    min_coverage: float | None = None
    """The share of the window that needs good values, 0 to 1; 0.75 where absent. With less, the result is uncertain."""
    per: Seconds | None = None
    """With `total`: the time unit of the rate, 1h for t/h."""

    def __post_init__(self) -> None:
        given = [form for form in FORMS if getattr(self, form)]
        if len(given) != 1:
            what = f"{' and '.join(given)} stand side by side" if given else "it does not say how it is computed"
            raise ValueError(f"{what}; give exactly one of {', '.join(FORMS)}")
        self._check_belonging(given[0])
        if self.expression:
            try:
                parse(self.expression)
            except ExpressionError as error:
                raise ValueError(f"expression: {error}") from None
        if self.median and not 3 <= len(self.median) <= 16:
            raise ValueError(f"median: needs 3 to 16 tags, not {len(self.median)}")
        if len(set(self.median)) != len(self.median):
            raise ValueError("median: names a tag twice")
        self._check_numbers()

    @property
    def form(self) -> str:
        """Which of the forms it has."""
        return next(form for form in FORMS if getattr(self, form))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tags that it is made from, each once."""
        match self.form:
            case "expression":
                return self.parsed().inputs
            case "median":
                return self.median
            case "vote":
                return self.vote.tags if self.vote else ()
        return (getattr(self, self.form),)

    def parsed(self) -> Expression:
        """Return the expression, ready to be evaluated."""
        return parse(self.expression)

    def _check_belonging(self, form: str) -> None:
        windowed = form in WINDOWED
        belongs = {
            "deviation": form == "median",
            "window": windowed,
            "min_coverage": windowed,
            "per": form == "total",
        }
        for key, fits in belongs.items():
            if getattr(self, key) is not None and not fits:
                raise ValueError(f"{key}: has no meaning beside {form}")
        if windowed and self.window is None:
            raise ValueError(f"{form}: needs `window` beside it, as in window: 1h")
        if form == "total" and self.per is None:
            raise ValueError("total: needs `per` beside it, the time unit of the rate: 1h for t/h, 1s for kg/s")

    def _check_numbers(self) -> None:
        if self.deviation is not None and not self.deviation > 0:
            raise ValueError(f"deviation: {self.deviation:g} is not a number above 0")
        if self.window is not None and not SHORTEST <= self.window <= LONGEST:
            raise ValueError(f"window: {self.window:g} s is not within 1s and 744h")
        if self.min_coverage is not None and not 0 < self.min_coverage <= 1:
            raise ValueError(f"min_coverage: {self.min_coverage:g} is not above 0 and at most 1")
        if self.per is not None and not self.per > 0:
            raise ValueError("per: 0 s is no unit of time")
