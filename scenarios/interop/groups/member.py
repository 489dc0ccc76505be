"""A member of a consumer group by kafka-python: member.py BOOTSTRAP GROUP TOPIC."""

import signal
import sys

from kafka import KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError

stop = False


def end(*_):
    global stop
    stop = True


signal.signal(signal.SIGTERM, end)
consumer = KafkaConsumer(
    sys.argv[3],
    bootstrap_servers=sys.argv[1].split(","),
    group_id=sys.argv[2],
    enable_auto_commit=False,
    auto_offset_reset="earliest",
    session_timeout_ms=6000,
    heartbeat_interval_ms=1000,
    max_poll_records=500,
    partition_assignment_strategy=[RangePartitionAssignor],
)
while not stop:
    try:
        for tp, records in consumer.poll(200).items():
            for r in records:
                sys.stdout.write("%d %d\n" % (r.partition, r.offset))
        sys.stdout.flush()
        consumer.commit()
    except KafkaError as e:
        print(e, file=sys.stderr)
consumer.close()
