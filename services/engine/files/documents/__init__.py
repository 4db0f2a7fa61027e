"""Documents from data and data from documents: functions without input or output, run in a process of their own."""
