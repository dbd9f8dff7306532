"""Studies on machines that this one starts and stops."""
