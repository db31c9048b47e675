"""What Seatbeat is compared with: programs that know nothing of it, in an environment of their own."""
