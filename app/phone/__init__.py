"""The site on a phone: it can be installed, says so without a network, and tells of what is new while it is closed.

`shell.py` is what the service worker keeps, `views.py` the worker and the manifest; `subscriptions.py` which browsers
want to be told, `levels.py` of what. `looking.py` finds what is to be told behind the logs, `notices.py` puts it into
words, `sending.py` sends it and `posting.py` dials; `keys.py` is by whom.
"""
