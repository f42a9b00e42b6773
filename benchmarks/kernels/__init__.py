"""The kernels, operation by operation and idea by idea: checked first, then timed."""
