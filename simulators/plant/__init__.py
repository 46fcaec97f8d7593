"""Physics alone: values and a time step in, values out. Chance is handed in, and nothing here waits or logs."""
