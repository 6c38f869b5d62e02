"""What the hall uses: against the same weekdays, by use, after hours, by circuit."""
