"""Licence policies as effective-dated data, and the timeline that finds the one in force. Never code branches."""
