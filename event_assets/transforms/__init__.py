"""What is computed: pure PySpark, DataFrame in, DataFrame out, one module a step, the same on Sail and Spark."""
