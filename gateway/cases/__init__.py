"""Cases (案件): what somebody promised to settle by a day, from registration to the end.

`clock.py` counts days, `model.py` says what kinds there are, `engine.py` folds a case's events into
what it is now and says what may be done next; none of them knows a database or the time of day.
`book.py` keeps the events, `stage.py` is the pipeline's step, `contacts.py` seals phone numbers.
"""
