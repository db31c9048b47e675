"""Frozen, slotted types of the domain: ids, instants, evidence, contracts, errors. Standard library only."""
