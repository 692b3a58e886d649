"""The types of the evidence of flags and alarms."""

EVIDENCE_OF_KPI = (
    "struct<kpi:string,status:string,flag:int,value:double,unit:string,bound:double,"
    "direction:string,method:string,baseline:double,spread:double,baseline_count:bigint,"
    "value_count:bigint,deviation:double,deviation_unit:string,reason:string,family:string,"
    "peers:string,scale:string,log_offset:double,standard_error:double>"
)
EVIDENCE_TYPE = f"array<{EVIDENCE_OF_KPI}>"

ALARM_EVIDENCE_TYPE = (
    "array<struct<kpi:string,status:string,periods:bigint,peak_at:timestamp,value:double,"
    "smoothed_value:double,unit:string,baseline:double,baseline_count:bigint,bound:double,"
    "direction:string,deviation:double,reason:string>>"
)
