"""How fresh a computed tag is: exactly as fresh as what it was made from."""

from collections.abc import Sequence

from gateway.tags.image import NO_DATA, Freshness, ProcessImage
from gateway.tags.tag import Tag


class DerivedFreshness(Freshness):
    """Follows the freshness of the inputs, so an input that is answered without a change costs nothing here.

    The tag answered when the input that answered longest ago did, and it is stale as soon as any input is.
    """

    __slots__ = ("_image", "inputs")

    def __init__(self, tag: Tag, inputs: Sequence[Tag], image: ProcessImage) -> None:
        self.inputs = tuple(inputs)
        """What the newest value was made from; a rule may leave out an input that is bad."""
        self._image = image
        super().__init__((tag,), NO_DATA)

    @property
    def answered(self) -> float:
        return min([self._image.answered(tag) for tag in self.inputs])

    @answered.setter
    def answered(self, _: float) -> None:
        """Ignore it: the inputs alone decide."""

    @property
    def before(self) -> float:
        return min([self._image.answers(tag)[1] for tag in self.inputs])

    @before.setter
    def before(self, _: float) -> None:
        """Ignore it, as above."""

    @property
    def max_age(self) -> float:
        image, inputs = self._image, self.inputs
        answered = [image.answered(tag) for tag in inputs]
        expiries = [when + image.max_age(tag) for when, tag in zip(answered, inputs, strict=True)]
        return min(expiries) - min(answered)

    @max_age.setter
    def max_age(self, _: float) -> None:
        """Ignore it, as above."""
