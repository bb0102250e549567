"""The `backtest` command: arguments in, exit codes and readable text out."""
