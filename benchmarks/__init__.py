"""What a whole training run costs as one compiled scan, against its rivals, in ratios.

`python -m benchmarks` prints one table; `--quick` the same table from small runs.
"""
