"""Every bound of the package, with its reason and its relation to the others. Sizes in bytes, times in seconds."""

# --- Frames ------------------------------------------------------------------------------------

MAX_FRAME_BYTES = 65_536  # in either direction; what a client exceeds it with is answered by close 1009
MAX_FRAGMENTS = 4_096  # of one message; empty ones would otherwise add up without ever reaching a size
BAD_FRAMES_IN_A_ROW = 10  # a client that has not understood by then will not

# --- How much of one socket is read ----------------------------------------------------------------

TURN_SHARE = 64  # pieces, and KiB of them, in one turn of the loop: 1 to 3 ms in which nobody else has his
FRAMES_PER_MESSAGE = 4  # frames of any kind that a socket may send for each message that it may: pings, fragments
BURST_SECONDS = 2  # of frames at once, as of messages
REST_SECONDS = 0.1  # in which a socket that was too fast is not read: its frames come in bundles, not one by one
FLOOD_SECONDS = 15  # of being too fast without a pause; then it is closed, before its unread pongs make it look dead

# --- Requests ----------------------------------------------------------------------------------------

MAX_HEAD_BYTES = 16_384  # target and headers; nginx takes 32 KiB, of which a line has 8
MAX_HEADERS = 100
MAX_BODY_BYTES = 131_072  # the same in nginx (client_max_body_size) and in Django (DATA_UPLOAD_MAX_MEMORY_SIZE)
MAX_BODY_PIECES = 1_024  # chunks, for example: of one byte each, they would take seconds of the loop
REQUEST_SECONDS = 20  # from accept to the request's last byte; more than nginx has patience for its head (10)
ANSWER_SECONDS = 30  # from there to the answer's begin, after which Heroku's router has given up, too
BACKLOG = 2_048  # connections that wait while the process is busy
MAX_UNFINISHED = 2 * BACKLOG  # connections without a whole request: as many may be accepted in one turn, and as many
# be about to send; one more, and the oldest goes

# --- What may wait in front of and behind one socket ---------------------------------------------

INBOX_FRAMES = 16  # received and not yet taken by the application; then the socket is not read any more
INBOX_BYTES = MAX_FRAME_BYTES
EPHEMERAL_BYTES = 65_536  # an outbox that holds more gets nothing that may get lost
SLOW_SECONDS = 30  # in which a client that is behind takes nothing at all; then it is closed
OUTBOX_BYTES = 16 * MAX_FRAME_BYTES  # one that holds this much is full, and is caught up from the log

# --- What may wait in the whole process ------------------------------------------------------------

MEMORY_BYTES = 64 * 2**20  # of all rooms together kept for those who return
WAITING_BYTES = MEMORY_BYTES  # of frames in outboxes and full transports: above it, no outbox that holds some gets more
TIGHT_BYTES = WAITING_BYTES // 2  # above it, nothing that may get lost for who is behind, and
STUCK_SECONDS = 5  # of taking nothing are enough to be closed, instead of SLOW_SECONDS
REPLAYS = 16  # pages of the log read at once for those who are behind: of what has been read, none waits

# --- The ladder of silence -----------------------------------------------------------------------

PING_SECONDS = 20  # the longest silence of the server; Heroku's router cuts after 55 s, our nginx after 75
PONG_SECONDS = 20  # for the answer to a ping; a client that reads nothing is gone after both
SEQ_SECONDS = PING_SECONDS - 2  # between two `seq` frames in a quiet room, so that none is late
UNACKNOWLEDGED_SECONDS = PING_SECONDS + PONG_SECONDS  # for the kernel to give up a peer that takes nothing
KEEP_ALIVE_SECONDS = 95  # idle HTTP; longer than nginx (60) and Heroku's router (90) keep a connection for reuse
HANDSHAKE_SECONDS = 20  # for the application to accept or refuse a WebSocket
CLOSE_SECONDS = 5  # for the peer to answer a close; then it is dropped

# --- The ladder of leaving -----------------------------------------------------------------------

GRACE_SECONDS = 30  # then SIGKILL comes, from compose and from Heroku
FLUSH_SECONDS = 2  # for what was accepted to be stored, once the sockets are gone
STOP_SECONDS = 2  # for requests in flight and close handshakes, after that
SILENT_SECONDS = 1  # of a connection without a request: by then it was made in advance, as browsers do, to be cut
END_SECONDS = 0.4  # for tasks, threads and connections to end, after everything else
RELOAD_SECONDS = 0.5  # for each of the two while somebody who has changed the code waits to see it
CLOSES_PER_SECOND = 100  # while draining, unless the window is too short for that
RETURNS_PER_SECOND = 500  # clients are told to come back no faster: a process takes that many handshakes

# --- The hub ---------------------------------------------------------------------------------------

TICK_SECONDS = 0.25  # presence is told within a second
CHECK_SECONDS = 2  # between two questions to the log which rooms have changed, and who may not be here any more
DOUBT_SECONDS = 0.2  # until those are looked at who may be here no longer,
DOUBT_LOOKS = 3  # so many times: they hear and say nothing after a second
REORDER_SECONDS = 0.1  # for a missing number to arrive by itself before the log is read: a busy process tells in rounds
AHEAD_EVENTS = 1_000  # kept of a room while a lower number is missing
MEMORY_EVENTS = 256  # of a room kept for those who return
REPLAY_EVENTS = 200  # read from the log at a time,
REPLAY_LEAST_EVENTS = 16  # and at first for who is behind: a bundle of long ones. Twice what was taken the next time
KNOWN_SECONDS = 1  # after which a process knows who is in a room, and which other processes there are
ASK_SECONDS = 1  # for the other processes to say who is in a room
LAYER_SECONDS = 2  # for one answer of the channel layer
LAYER_RETRY_SECONDS = 1
ECHO_SECONDS = 5  # after which a process that does not hear itself opens its connection to Redis anew
LAYER_PAUSES = 5  # for each time that the layer took: it has a sixth of a busy process, and is told more at a time
LAYER_PAUSE_SECONDS = 0.05  # at most in one round, so that other processes do not miss it: less than REORDER_SECONDS
LAYER_ROOMS = 32  # told together, without a pause: those of many rooms in a row would be felt by every socket
LAYER_CHARACTERS = 16 * 2**20  # waiting for the layer; the rest is found in the log
LAYER_MESSAGE_EVENTS = 64  # in one message of the layer
RENEW_SECONDS = 3_600  # of a group membership, which layers let expire after a day

# --- Failures that nobody waits for --------------------------------------------------------------------

REPORT_SECONDS = 10  # between two lines of the log about failures of one kind; the metric counts them all
RESTART_SECONDS = 0.5  # until a background task that failed runs again; twice as long after each failure
RESTART_LONGEST_SECONDS = 30
CALM_SECONDS = 60  # without a failure, after which the pause is the first one again

# --- Health --------------------------------------------------------------------------------------------

CHECK_ANSWER_SECONDS = 2  # for Postgres and Redis to answer a readiness check
CHECK_KEPT_SECONDS = 1  # an answer serves everybody who asks meanwhile


DEBT_SECONDS = 10  # that somebody waits at most who took too much in as many processes within a second


class TokenBucket:
    """So many a second, and a burst of so many at once.

    It remembers a single moment: when the bucket will be full again. Raises ValueError for a rate or burst
    that lets nothing through.
    """

    __slots__ = ("_burst_seconds", "_full_at", "_seconds_each", "_taken")

    def __init__(self, rate: float, burst: float) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"a bucket with rate {rate} and burst {burst} lets nothing through")
        self._seconds_each = 1 / rate
        self._burst_seconds = (burst - 1) / rate
        self._full_at = 0.0
        self._taken = 0

    def take(self, now: float) -> float:
        """One at the time `now` (of a clock that never goes back): 0.0, or how many seconds it is too early."""
        full_at = self._full_at if self._full_at > now else now  # max() would take as long as all the rest
        early = full_at - now - self._burst_seconds
        if early > 1e-9:
            return early
        self._full_at = full_at + self._seconds_each
        self._taken += 1
        return 0.0

    def early(self, now: float) -> float:
        """What `take` would return."""
        early = self._full_at - now - self._burst_seconds
        return early if early > 1e-9 else 0.0

    def charge(self, count: int, now: float) -> None:
        """So many were taken elsewhere: whoever has taken too much waits, but never for longer than DEBT_SECONDS."""
        most = now + self._burst_seconds + DEBT_SECONDS
        self._full_at = max(self._full_at, min(max(self._full_at, now) + count * self._seconds_each, most))

    def is_full(self, now: float) -> bool:
        return self._full_at <= now

    @property
    def rate(self) -> float:
        return 1 / self._seconds_each

    def taken_since(self) -> int:
        """How many were taken here since the last call."""
        taken, self._taken = self._taken, 0
        return taken
