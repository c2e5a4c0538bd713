"""Targets of EventBridge that have nothing behind them here: builds and functions, run by a registered command."""
