"""The references: programs without Seatbeat's code, in an environment of their own."""
