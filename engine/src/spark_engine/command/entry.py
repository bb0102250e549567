"""Where `backtest` begins. Imports nothing that takes time, so that Ctrl-C ends the imports as well."""

import signal


def main() -> int:
    """`spark_engine.command.main`. Ctrl-C while it is imported, up to a second from a cold disk, ends the
    process as the signal itself does: nothing has begun, and a traceback would tell nobody anything."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # not where a shell has it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from spark_engine.command.main import main as command

    signal.signal(signal.SIGINT, handler)
    return command()
