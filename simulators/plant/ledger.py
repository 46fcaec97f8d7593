"""The books of a plant: what crossed its boundary, so that a test can see whether they balance."""

from dataclasses import dataclass


@dataclass(slots=True)
class Ledger:
    """Totals since the start: energy in kJ, water and steam in kg."""

    energy_in: float = 0.0
    energy_out: float = 0.0
    water_in: float = 0.0
    water_out: float = 0.0

    def add(self, other: "Ledger") -> "Ledger":
        """Return the books of two plants seen as one; what one hands to the other counts on both sides."""
        return Ledger(
            self.energy_in + other.energy_in,
            self.energy_out + other.energy_out,
            self.water_in + other.water_in,
            self.water_out + other.water_out,
        )
