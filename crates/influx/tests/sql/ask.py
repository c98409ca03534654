"""Asks DataFusion, which is the SQL engine of InfluxDB 3: tables and questions come in as JSON, rows go out as JSON.

Tags are dictionaries and times are nanoseconds without a zone, as there.
"""

import json
import sys

import pyarrow as pa
from datafusion import SessionConfig, SessionContext

TYPES = {"integer": pa.int64(), "text": pa.string(), "time": pa.timestamp("ns")}


def column(kind, values):
    if kind == "tag":
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, TYPES[kind])


def value(scalar):
    if pa.types.is_timestamp(scalar.type):
        return scalar.value
    return scalar.as_py()


def rows(answer):
    names = answer.column_names
    for at in range(answer.num_rows):
        cells = {name: value(answer.column(name)[at]) for name in names}
        yield {name: cell for name, cell in cells.items() if cell is not None}


def main():
    asked = json.load(sys.stdin)
    context = SessionContext(SessionConfig().with_information_schema(True))
    for name, table in asked["tables"].items():
        columns = {
            of: column(kind, [row.get(of) for row in table["rows"]])
            for of, kind in table["columns"].items()
        }
        context.register_record_batches(name, [pa.table(columns).to_batches()])
    answers = [list(rows(context.sql(q).to_arrow_table())) for q in asked["questions"]]
    json.dump(answers, sys.stdout)


main()
