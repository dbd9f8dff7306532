"""FMBench Load's own caller, one greenlet a stream."""

from gevent import monkey

monkey.patch_all()

import gc  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402

from benchmarks.accuracy.work import MODEL, POSTED, REGION, Done, Row, Work  # noqa: E402
from fmbench.bedrock.caller import Caller, Endpoint  # noqa: E402
from fmbench.config.schema import Inference, Model, Timeouts  # noqa: E402
from fmbench.core.records import Exchange, Prompt  # noqa: E402
from fmbench.prompts.payload import salt_of  # noqa: E402


def main() -> None:
    """Do the work and print it."""
    work = Work.from_arguments()
    endpoint = Endpoint(work.url, work.ca_bundle)
    caller = Caller(
        Model(id=POSTED.get(work.api, MODEL), api=work.api),
        Inference(max_tokens=work.tokens),
        REGION,
        Timeouts(connect_s=60),
        work.streams,
        False,
        endpoint,
    )
    prepared = caller.prepare(Prompt(prompt_id="p", text=work.text, tokens=0, dataset="d", language="en"), salted=True)
    exchanges: list[tuple[Exchange, bool]] = []

    def stream(number: int) -> None:
        gevent.sleep(work.start_s(number))
        for k in range(1 + work.requests):
            exchanges.append((caller.call(prepared, salt_of(number, k)), k == 0))

    gc.collect()
    gc.freeze()
    began = time.process_time_ns()
    gevent.joinall([gevent.spawn(stream, number) for number in range(work.streams)], raise_error=True)
    Done(time.process_time_ns() - began, [_row(*exchange) for exchange in exchanges]).print()


def _row(exchange: Exchange, first: bool) -> Row:
    assert exchange.failure is None, exchange.message
    assert exchange.sent_ns and exchange.first_content_ns and exchange.last_content_ns
    stamps = (exchange.sent_ns, exchange.first_content_ns, exchange.last_content_ns)
    return Row(str(exchange.request_id), *stamps, len(exchange.content_ns), first, exchange.first_content_read_ns)


if __name__ == "__main__":
    main()
