"""The blocks of one unit as they are asked for at the moment: cut where they are refused, and what that teaches.

Pure; who asks, and what, is the reader's affair.
"""

from collections.abc import Callable, Sequence

from drivers.base import Block, Split
from drivers.errors import DeviceFault
from drivers.modbus.layout import Layout, Part
from drivers.modbus.lessons import Lessons
from drivers.modbus.refusal import FAILURE, FAILURES, Proof, Refusals, cut_for
from drivers.modbus.register import RegisterRange


class Parts:
    """Every point of the unit is in exactly one of these blocks, at any time."""

    def __init__(self, layout: Layout, lessons: Lessons, count: Callable[[str], None]) -> None:
        """Begin with the plan that the lessons leave. Count: told `block_split` of each cut."""
        self._layout = layout
        self._lessons = lessons
        self._count = count
        planned = layout.plan(lessons)
        known = set(lessons.missing)
        self._parts = {part.block: part for part in planned}
        self._refusals: dict[Block, Refusals] = {}
        self._proofs: dict[Block, Proof] = {}
        self._missing = {part.block: part.spans for part in planned if known.issuperset(part.spans)}
        self._has_answered = False

    def __getitem__(self, block: Block) -> Part:
        return self._parts[block]

    @property
    def blocks(self) -> list[Block]:
        return list(self._parts)

    def answered(self, block: Block) -> None:
        """Note that a block was answered as a whole."""
        self._has_answered = True
        if self._refusals or self._proofs or self._missing:
            self._refusals.pop(block, None)
            self._is_there(block)
            self._prove(block)

    def witnesses(self, block: Block, kind: str) -> Sequence[RegisterRange]:
        """Note that a block was refused; return the spans of it to ask for alone, one after the other."""
        self._proofs.pop(block, None)
        return self._of(block).witnesses(kind)

    def witness_refused(self, block: Block, span: RegisterRange, kind: str) -> None:
        """Note that a span of a block was refused alone, too."""
        self._of(block).refused_alone(span, kind)

    def none_answered(self, block: Block, kind: str) -> None:
        """Note that no witness was answered: points of a device that answers others do not exist there."""
        missing = self._of(block).missing(kind)
        if missing and self._has_answered and block not in self._missing:
            self._missing[block] = tuple(missing)
            self._lessons.add_missing(missing)

    def split(self, block: Block, fault: DeviceFault) -> Split:
        """Replace a block that was refused, and of which one span was answered, by two; return what to raise."""
        self._has_answered = True
        made = cut_for(fault.kind, self._parts[block].spans)
        assert made is not None, "a block of one span has no witnesses"
        self._refusals.pop(block, None)
        self._is_there(block)
        del self._parts[block]
        proof = Proof(fault.kind, made)
        parts = [self._layout.part(spans) for spans in (made.first, made.second)]
        halves = [part.block for part in parts]
        self._parts.update(zip(halves, parts, strict=True))
        self._proofs.update(dict.fromkeys(halves, proof))
        if fault.kind == FAILURE:  # it has failed often enough: the part that fails again is cut at once
            self._refusals |= {part.block: Refusals(part.spans, FAILURES - 1) for part in parts}
        self._count("block_split")
        labels = " and ".join(half.label for half in halves)
        return Split(fault.kind, f"{fault}; asking for {labels} from now on", halves)

    def _of(self, block: Block) -> Refusals:
        return self._refusals.setdefault(block, Refusals(self._parts[block].spans))

    def _is_there(self, block: Block) -> None:
        missing = self._missing.pop(block, None)
        if missing is not None:
            self._lessons.remove_missing(missing)

    def _prove(self, block: Block) -> None:
        proof = self._proofs.pop(block, None)
        if proof is None or not proof.part_answered():
            return
        if (hole := proof.hole) is not None:
            self._lessons.add_hole(hole)
        if (longest := proof.longest) is not None:
            self._lessons.shorten(longest)
