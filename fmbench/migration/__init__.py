"""From the configurations of FMBench (aws-samples/foundation-model-benchmarking-tool) to those of FMBench Load."""
