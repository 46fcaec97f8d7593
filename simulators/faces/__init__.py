"""Protocol servers in front of a plant: what a PLC shows to its clients."""
