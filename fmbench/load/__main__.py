"""``python -m locust``, but deaf to the configuration files that Locust reads from the home folder and the working folder."""

import logging
import os
import signal

for number in (signal.SIGINT, signal.SIGTERM):  # until Locust listens there is nothing to put in order, and nothing to say
    signal.signal(number, lambda which, frame: os._exit(128 + which))
signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))  # held back by who started this process

logging.raiseExceptions = False  # a log that the disk does not take is no traceback on the terminal

from gevent import hub  # noqa: E402
from locust import argument_parser  # noqa: E402
from locust.main import main  # noqa: E402

argument_parser.get_parser.__defaults__ = ((),)
argument_parser.get_empty_argument_parser.__defaults__ = (True, ())

if __name__ == "__main__":
    try:
        main()  # type: ignore[no-untyped-call]
    finally:  # Locust still listens while its threads end, and would be torn out of that with a traceback
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        # nor does one that came before, or is being answered, end this process once more
        hub.signal.handle = lambda self: None  # type: ignore[method-assign]
        hub.get_hub().handle_error = lambda *error: None  # type: ignore[method-assign]
