"""Writes input of tests: heartbeats, orders and contracts in short notation, random fleets, histories of accounts."""
