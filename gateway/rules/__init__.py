"""The law as code: one file a theme, each rule one formula with the articles it cites.

`RULES` is every rule, sorted by id; `program(site, calendar)` compiles them for one site.
"""

from gateway.rules.catalogue import RULES, by_id, check_settings, limits_of
from gateway.rules.compiling import program

__all__ = ["RULES", "by_id", "check_settings", "limits_of", "program"]
