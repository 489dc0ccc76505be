package oracle_test

import (
	"slices"
	"strings"
)

// permit names differences.
type permit struct {
	step, path string // regular expressions; the step's from its beginning, the path's whole
	when       func(difference) bool
	why        string
}

// both is true of fields that both answers have.
func both(d difference) bool {
	absent := []string{"", "null", `""`, "0", "-1"}
	return !slices.Contains(absent, d.kafka) && !slices.Contains(absent, d.klamm)
}

// onlyKafka is true of what Klamm does not have.
func onlyKafka(d difference) bool { return d.klamm == "" }

// unlisted is true of all fields of a config that only Kafka lists.
func unlisted(d difference) bool {
	return onlyKafka(d) && d.missing != "" && strings.LastIndex(d.missing, "[") == strings.Index(d.missing, "Configs[")+len("Configs")
}

// onlyKlamm is true of what Kafka does not have.
func onlyKlamm(d difference) bool { return d.kafka == "" }

// moreWords is true where Klamm says why and Kafka does not.
func moreWords(d difference) bool { return d.kafka == "null" || d.kafka == `""` && d.klamm != "null" }

// told is true of offsets that Klamm tells with an error and Kafka does not.
func told(d difference) bool { return d.kafka == "-1" }

// untold is true of what Klamm says it does not know.
func untold(d difference) bool { return d.klamm == "-1" }

// uncaught is true of error codes where Kafka's is UNKNOWN_SERVER_ERROR: something threw what nobody expects.
func uncaught(d difference) bool { return d.kafka == "-1" }

// permitted are all permits. The first that fits a difference counts.
func permitted() []permit { return slices.Concat(general(), configs(), data()) }

// general are the differences that follow from docs/DIVERGENCE.md and docs/COMPATIBILITY.md, or from asking two brokers.
func general() []permit {
	return []permit{
		{step: "", path: `.*ErrorMessage`, when: both, why: "errors are worded differently"},
		{step: `(Metadata v1[23] by nothing|IncrementalAlterConfigs v\d unknown op|Produce v\d+ (codec 5|gzip of noise)|ListOffsets v\d+ isolation 5|` +
			`Fetch v\d+ -1 bytes)`, path: `.*ErrorCode`, when: uncaught, why: "Klamm says what is wrong, or does what can be done"},
		{step: "", path: `(Brokers\[\d+\]\.)?(Host|Port|ClusterID)`, when: both, why: "they are two clusters"},
		{step: "ApiVersions", path: `ApiKeys\[\d+\]\.\w+`, when: onlyKafka, why: "docs/COMPATIBILITY.md names the keys that are there"},
		{step: "ApiVersions", path: `(Finalized|Supported)Features\[.*`, why: "docs/COMPATIBILITY.md names the features"},
		{step: "ApiVersions", path: `FinalizedFeaturesEpoch`, when: both, why: "their metadata logs have different lengths"},
		{step: "DescribeLogDirs", path: `Dirs\[\d+\]\.Dir`, when: both, why: "they have two directories"},
		{step: "DescribeLogDirs", path: `.*\.(Total|Usable)Bytes`, when: untold, why: "the core does not see the volume; -1 is unknown (KIP-827)"},
		{step: "CreateTopics v7 (validate|249|collides|empty|internal)", path: `.*TopicID`, why: "Kafka makes up an id for a topic that it does not create",
			when: func(d difference) bool { return d.klamm == "no id" }},
		{step: "CreatePartitions v\\d+ absent", path: `.*\.ErrorMessage`, when: moreWords, why: "an error is told in words, too"},
		{step: "Metadata v(10|11) by id", path: `(Brokers|ClusterID|ControllerID).*`,
			why: "both refuse each topic; Klamm names the brokers all the same, so that the client need not forget them"},
		{step: "Metadata v1[23] by nothing", path: `(Brokers|ClusterID|ControllerID).*|Topics\[no id\]\.Topic`,
			why: "Kafka fails the whole request, with UNKNOWN_SERVER_ERROR; Klamm refuses the topic that has neither name nor id"},
	}
}

// configs are the differences of DescribeConfigs and its kin.
func configs() []permit {
	return []permit{
		{step: `DescribeConfigs v\d broker`, path: `.*Configs\[(advertised\.listeners|broker\.id|cluster\.id|controller\..*|listener.*|` +
			`log\.dirs?|node\.id|offsets\.topic\.replication\.factor|process\.roles)\](.*(Value|Source)|\.ConfigSynonyms.*)`, why: "they are configured differently"},
		{step: `DescribeConfigs v\d broker`, path: `.*Configs\[(klamm\..*|cluster\.id)\].*`, when: onlyKlamm, why: "Klamm's own"},
		{step: `DescribeConfigs v\d broker`, path: `.*Configs\[[^\]]*\].*`, when: unlisted, why: "broker configs of what is not there"},
		{step: "(DescribeConfigs|CreateTopics)", path: `.*Configs\[(errors|max\.decompressed|remote)\..*`, when: onlyKafka,
			why: "topic configs of what is not there; the most that a batch may hold is fixed"},
		{step: "DescribeConfigs", path: `.*\.ErrorMessage`, when: func(d difference) bool { return d.kafka == `""` },
			why: "no error is \"\" in Kafka's answer and null in Klamm's, and that a topic is absent is told in words"},
		{step: `DescribeConfigs v\d broker`, path: `.*Configs\[(listeners|listener\.security\.protocol\.map|log\.cleaner\..*|producer\.id\.expiration\.ms|` +
			`transaction\.partition\.verification\.enable)\]\.ReadOnly`, why: "these are read when the broker starts"},
		{step: "DescribeConfigs", path: `.*Documentation`, when: both, why: "documentation is in Klamm's own words"},
		{step: "DescribeConfigs v\\d broker logger", path: `.*`, why: "there are no loggers to set"},
		{step: "IncrementalAlterConfigs v\\d broker unknown", path: `.*\.Error(Code|Message)`, why: "Kafka stores any name; Klamm refuses what nothing reads"},
		{step: "IncrementalAlterConfigs v\\d unknown op", path: `.*\.ErrorMessage`, when: moreWords, why: "goes with the code, for which Kafka has UNKNOWN_SERVER_ERROR"},
	}
}

// data are the differences of Produce, Fetch and ListOffsets.
func data() []permit {
	return []permit{
		{step: "Produce", path: `.*\.ErrorMessage`, when: moreWords, why: "a refused batch is told why"},
		{step: "Produce v\\d+ stamped", path: `.*\.LogAppendTime`, when: both, why: "they have two clocks"},
		{step: "Produce v\\d+ (first|second) again", path: `.*\.LogAppendTime`, when: untold,
			why: "a repeat is answered like the first time: there is no append time in a topic of create times, where Kafka says the batch's timestamp"},
		{step: "Produce", path: `.*\.LogStartOffset`, when: untold, why: "a refused batch is not told the log start; clients take it from what was appended"},
		{step: "Produce v\\d+ (count 3|record cut)", path: `.*\.ErrorRecords.*`, why: "Klamm names the record at fault, Kafka none (KIP-467)"},
		{step: "Produce v\\d+ (far future|too early|too late)", path: `.*\.ErrorRecords.*`, why: "Kafka names each record, Klamm says it of the batch"},
		{step: "ListOffsets v\\d+ isolation 5", path: `.*\.(Offset|LeaderEpoch)`, why: "what is not 1 is read_uncommitted; in Kafka UNKNOWN_SERVER_ERROR"},
		{step: "ListOffsets v\\d+ max timestamp after", path: `.*\.(Offset|LeaderEpoch|Timestamp)`, when: untold,
			why: "Kafka finds a record below the log start, which nobody can read any more"},
		{step: "Fetch", path: `.*\.(HighWatermark|LastStableOffset|LogStartOffset)`, when: told, why: "offsets are told with OFFSET_OUT_OF_RANGE, too"},
		{step: "Fetch", path: `.*\.AbortedTransactions`, when: func(d difference) bool { return d.klamm == "no list" },
			why: "an empty list in Kafka's errors, null in Klamm's"},
		{step: "Fetch v\\d+ -1 bytes", path: `.*\.RecordBatches`, why: "the first batch comes whatever the limit is; in Kafka UNKNOWN_SERVER_ERROR"},
		{step: "Fetch v\\d+ last epoch 5", path: `.*\.ErrorCode`,
			why: "an epoch that is newer than the broker's: the consumer may be right, and OFFSET_OUT_OF_RANGE would have it reset its position"},
	}
}
