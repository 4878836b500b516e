"""Is it there in time, and is it right: verdicts on systems and marts, and who is told.

Belongs here: business calendars, what is due when, verdicts, alerts and their routes.
Does not belong here: reading landing or a publication (whoever asks hands both over), and Dagster.
Time is always an argument: the same facts at the same instant give the same verdicts.
"""

from finpipe.observe.alerts import Sent, dispatch
from finpipe.observe.judge import Arrival, Facts, Judged, judge
from finpipe.observe.rules import Rules, rules_of
from finpipe.observe.verdicts import Cause, Verdict

__all__ = ["Arrival", "Cause", "Facts", "Judged", "Rules", "Sent", "Verdict", "dispatch", "judge", "rules_of"]
