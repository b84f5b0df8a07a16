"""Files that only type checkers read; `check.py` compares what each of them refuses."""
