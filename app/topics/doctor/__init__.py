"""`manage.py doctor`: what is wrong with a deployment, each in a sentence with the line that mends it.

Beside the servers it looks at the settings, the machine, the database and Redis (`inside.py`), and from anywhere, by
the site's address, at what a browser meets (`outside.py`).
"""
