data = FIND "measurements", "sensor=7"
values = MAP data, "value->v"
code = "import json, statistics\nprint(json.dumps({'mean': statistics.mean([1, 2, 3])}))"
result = RUN PYTHON code
IF result THEN TALK "Result: " + result
mean = AVG([1, 2, 3])
spread = MAX(1, 2, 3) - MIN(1, 2, 3)
IF ABS(mean - 2) < 0.001 AND spread = 2 THEN
    TALK "as expected"
ELSE
    THROW "the numbers are wrong"
END IF
