"""Who is here, over all processes.

people    from the room's sockets to its people, and back: what each process's own sockets are told
exchange  what the processes tell each other
roster    the people of one room
gaps      what the layer has lost, and asking for it
leases    which processes live
"""

from realtime.presence.people import Presence

__all__ = ["Presence"]
