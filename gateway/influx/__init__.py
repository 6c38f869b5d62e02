"""A second copy of the journal in an InfluxDB, or whatever takes its v2 line protocol.

`points` makes a point of an event, `books` says what is owed, `answers` what a server's answer
means, `copier` carries it there on a thread of its own. Nothing here runs where no InfluxDB is
named.
"""
