"""AlarmRequest samples to periods, baselines, deviations, states and alarms."""
