"""What is used of the libraries' insides: names that no documentation promises, or that are overridden.

A library may change these in any release, so its version is bounded above in requirements.in, and a test fails where
an installed library lacks one, where a name is used or overridden that is not here, and where one here is not used.
By class of the library: names, and why they are used.
"""

from typing import Final

DAPHNE: Final = {
    "daphne.server.Server": {
        "application": "called by our create_application",
        "connections": "the applications and since when their clients have gone; theirs is made in run()",
        "create_application handle_reply protocol_disconnected": "bounded inbox, back-pressure, an end in order",
        "http_factory ws_factory": "made in run(), which owns signals and listeners: both are ours",
        "stop": "theirs stops the reactor at once, and is called by run() alone",
    },
    "daphne.http_protocol.HTTPFactory": {
        "buildProtocol protocol": "channels of our class",
    },
    "daphne.http_protocol.WebRequest": {
        "_response_started": "whether an error can still be answered, or only be cut off",
        "application_queue client_addr server_addr server": "theirs sets them where it parses the request once more",
        "check_timeouts": "an answer has a deadline",
        "handle_exception": "a 500 of their wording",
        "handle_reply send_disconnect": "nothing is answered to who was refused",
    },
    "daphne.ws_protocol.WebSocketProtocol": {
        "_raw_query_string": "what their HTTP side hands over; here it is in the head",
        "application_queue handshake_deferred server": "what they keep of the handshake and the application",
        "client_addr server_addr application_deferred request path clean_headers": "dropped after the handshake",
        "check_timeouts last_ping": "absolute deadlines; pings by our clock, not all in one moment",
        "onClose onConnect onMessage onOpen": "the inbox is bounded, text is decoded once, the request is judged",
    },
}

AUTOBAHN: Final = {
    "autobahn.twisted.websocket.WebSocketAdapterProtocol": {
        "peer": "for a log line",
        "dataReceived": "what comes is cut at the frames' borders, and read by shares",
    },
    "autobahn.websocket.protocol.WebSocketProtocol": {
        "CONFIG_ATTRS": "some 30 options that it would copy to every socket",
        "STATE_CLOSED STATE_CONNECTING STATE_OPEN state": "in which phase it is",
        "_dataReceived data": "its parser, and what that has not parsed: bytes behind the handshake wait there",
        "_max_message_size_exceeded failedByMe": "its own way of closing with 1009, for too many fragments",
        "_sendAutoPing autoPingPending": "its pings, with a deadline that no traffic moves",
        "dropConnection sendData": "whatever raises there is the end of one connection only",
        "onMessageBegin onMessageFrameBegin": "fragments are counted",
        "onPing": "no pongs for who does not read",
        "sendCloseFrame": "with any code; sendClose allows some only",
        "sendMessage": "documented; what an application sends goes through it",
    },
    "autobahn.websocket.protocol.WebSocketServerProtocol": {
        "failHandshake": "answered as every other refused request",
        "websocket_protocols websocket_extensions": "what the client offered; dropped after the handshake",
        "http_request_data http_response_data http_status_line http_headers": "dropped after the handshake",
        "http_request_uri http_request_path http_request_params http_request_host": "dropped after the handshake",
    },
}

TWISTED: Final = {
    "twisted.internet.asyncioreactor.AsyncioSelectorReactor": {
        "_asyncioEventloop": "the loop that everything else runs on",
        "_readers _writers addReader addWriter": "watched without a context for each call, and after errors on uvloop",
        "_disconnectSelectable _readOrWrite": "what a watcher calls",
    },
    "twisted.internet.tcp.Server": {
        "dataBuffer _tempDataBuffer _tempDataLen": "whether anything waits, and how much",
        "repstr": "for a log line; its own asks the factory",
        "socket": "a write with nothing waiting goes to the kernel at once: two calls of epoll less",
        "protocol": "the channel hands its connection to the socket that it becomes",
    },
    "twisted.internet.protocol.BaseProtocol": {
        "transport": "documented; what is asked of it beyond its interfaces is above",
    },
    "twisted.protocols.basic.LineReceiver": {
        "MAX_LENGTH lineLengthExceeded line_mode": "a line too long is answered, not cut off",
    },
    "twisted.protocols.policies.TimeoutMixin": {
        "timeOut": "off: each byte would move it",
    },
    "twisted.web.http": {
        "_MalformedChunkedDataError": "ends the parsing of a body that was refused",
    },
    "twisted.web.http.HTTPChannel": {
        "_command _path _version": "the request line, to be judged before anything is made of it",
        "_networkProducer": "the transport's producer, which stops and goes on reading",
        "_receivedHeaderCount _receivedHeaderSize maxHeaders totalHeadersSize": "431 instead of 400",
        "_respondToBadRequestAndDisconnect": "answered as every other refused request",
        "allContentReceived allHeadersReceived connectionLost connectionMade dataReceived": "deadlines and bounds",
        "lineReceived rawDataReceived": "nothing more is read of who was refused, or it is the socket's",
        "forceAbortClient loseConnection": "an answer visibly breaks off; an idle connection ends",
        "pauseProducing resumeProducing": "an application waits for its client, a client not for ever",
        "persistent requestDone requestFactory requests": "between two requests a connection is idle",
    },
    "twisted.web.http.Request": {
        "channel client host finished": "whose request it is, and whether it is answered",
        "clientproto content method path uri": "set by us, as the request was judged",
        "gotLength handleContentChunk parseCookies requestReceived": "bounded; the application alone parses",
        "transport": "goes on to the socket that the request becomes",
    },
}

UVICORN: Final = {
    "uvicorn.config.Config": {
        "get_loop_factory": "uvloop's, where it is installed",
        "http_protocol_class lifespan_class load": "what run() does before it listens: listeners and signals are ours",
    },
    "uvicorn.server.Server": {
        "config lifespan main_loop server_state should_exit": "of run() its clock, and what protocols need",
    },
    "uvicorn.server.ServerState": {
        "connections": "who is to be told at the end",
    },
    "uvicorn.protocols.http.flow_control.FlowControl": {
        "resume_reading": "who was refused is read on for a while",
    },
    "uvicorn.protocols.http.h11_impl.H11Protocol": {
        "_should_upgrade": "asked once a request, when its head is here: it is judged then",
        "app_state config connections server_state ws_protocol_class": "handed to the socket that it becomes",
        "client conn cycle flow headers loop scope transport": "its state",
        "connection_lost connection_made data_received handle_events": "deadlines and bounds",
        "handle_websocket_upgrade on_response_complete": "the socket is ours; between two requests it is idle",
        "pause_writing resume_writing": "a client that takes no answer is cut",
        "send_400_response": "answered as every other refused request",
        "shutdown": "who was refused is answered already",
    },
    "uvicorn.protocols.http.h11_impl.RequestResponseCycle": {
        "disconnected message_event": "the application of who was refused is told that nobody is there",
        "response_complete response_started": "whether it can still be answered",
    },
    "uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol": {
        "app conn curr_msg_data_type logger loop scope transport": "its state",
        "close_sent close_timer disconnected": "nothing follows a close, and who does not answer it is dropped",
        "connection_lost data_received handle_connect": "the request is judged, what comes is read by shares",
        "frames handle_cont": "fragments are counted",
        "handle_close handle_parser_exception shutdown": "closes as under Daphne",
        "handle_ping writable": "no pongs for who does not read",
        "handshake_complete handshake_initiated initial_response send_500_response": "a handshake has one answer",
        "keepalive_timeout send_keepalive_ping stop_keepalive": "whatever raises there ends one connection only",
        "pause_writing resume_writing": "what waits is counted",
        "queue read_paused receive send_receive_event_to_app": "the inbox is bounded by bytes, too",
        "request response": "dropped after the handshake",
        "run_asgi send": "what the application does ends as under Daphne",
    },
}

PARSERS: Final = {
    "h11.Connection": {
        "next_event": "each event is shown before uvicorn gets it; the instance's class is exchanged for it",
        "trailing_data": "what came behind the request is the socket's",
    },
    "websockets.protocol.Protocol": {
        "current_size recv_frame": "a close between fragments is none of its errors; the instance's class is exchanged",
    },
}

INSIDES: Final = {**DAPHNE, **AUTOBAHN, **TWISTED, **UVICORN, **PARSERS}
