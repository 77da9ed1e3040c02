"""Benchmarks: figures as ratios beside a baseline measured in the same run; never part of `make test`."""
