"""What proves a configuration without a plant: stand-ins for its devices, virtual time, and the cases to be driven."""
