module spark.trading/tests/cluster/tools/pause

go 1.25.0
