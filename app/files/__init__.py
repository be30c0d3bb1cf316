"""Files that are part of events: taken in pieces, kept by Django's storages, given to whoever may read the topic.

It knows no page and no room: an app says whose they are, and where (a topic's name).
"""
