"""``python -m locust``, but deaf to the configuration files that Locust reads from the home folder and the working folder."""

from locust import argument_parser
from locust.main import main

argument_parser.get_parser.__defaults__ = ((),)
argument_parser.get_empty_argument_parser.__defaults__ = (True, ())

if __name__ == "__main__":
    main()  # type: ignore[no-untyped-call]
