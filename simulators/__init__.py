"""Fake plant: physics behind real protocol servers. It shares no code with drivers or gateway."""
