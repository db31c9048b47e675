"""Second, independent computations that check the first: of statements and usage, and of token licences."""
