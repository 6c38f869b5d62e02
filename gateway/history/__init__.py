"""Channels' values over time: hot rows, rollups, energy, compressed days, last values."""
