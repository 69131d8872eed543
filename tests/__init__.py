"""Behaviour shown through real parts."""
