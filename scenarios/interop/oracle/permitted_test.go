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
	open       bool // found, and neither corrected nor declared yet
}

// both is true of fields that both answers have.
func both(d difference) bool {
	absent := []string{"", "null", `""`, "0", "-1"}
	return !slices.Contains(absent, d.kafka) && !slices.Contains(absent, d.klamm)
}

// onlyKafka is true of what Klamm does not have.
func onlyKafka(d difference) bool { return d.klamm == "" }

// unlisted is true of all fields of a config that one of the two does not list.
func unlisted(d difference) bool {
	return d.missing != "" && strings.LastIndex(d.missing, "[") == strings.Index(d.missing, "Configs[")+len("Configs")
}

// onlyKlamm is true of what Kafka does not have.
func onlyKlamm(d difference) bool { return d.kafka == "" }

// moreWords is true where Klamm says why and Kafka does not.
func moreWords(d difference) bool { return d.kafka == "null" || d.kafka == `""` && d.klamm != "null" }

// permitted are all permits. The first that fits a difference counts.
func permitted() []permit { return append(meant(), undecided()...) }

// meant are the differences that follow from docs/DIVERGENCE.md and docs/COMPATIBILITY.md, or from asking two brokers.
func meant() []permit {
	return []permit{
		{step: "", path: `.*ErrorMessage`, when: both, why: "errors are worded differently"},
		{step: "Produce", path: `.*\.ErrorMessage`, when: moreWords, why: "a refused batch is told why"},
		{step: "IncrementalAlterConfigs", path: `.*\.ErrorMessage`, when: moreWords, why: "goes with the codes below"},
		{step: "", path: `(Brokers\[\d+\]\.)?(Host|Port|ClusterID)`, when: both, why: "they are two clusters"},
		{step: "Produce", path: `.*\.LogAppendTime`, when: both, why: "they have two clocks"},
		{step: "ApiVersions", path: `ApiKeys\[\d+\]\.\w+`, when: onlyKafka, why: "docs/COMPATIBILITY.md names the keys that are there"},
		{step: "ApiVersions", path: `(Finalized|Supported)Features\[.*`, why: "docs/COMPATIBILITY.md names the features"},
		{step: "ApiVersions", path: `FinalizedFeaturesEpoch`, when: both, why: "their metadata logs have different lengths"},
		{step: "DescribeLogDirs", path: `Dirs\[\d+\]\.Dir`, when: both, why: "they have two directories"},
		{step: `DescribeConfigs v\d broker`, path: `.*Configs\[(advertised\.listeners|broker\.id|cluster\.id|controller\..*|listener.*|` +
			`log\.dirs?|node\.id|offsets\.topic\.replication\.factor|process\.roles)\].*(Value|Source)`, why: "they are configured differently"},
		{step: `DescribeConfigs v\d broker`, path: `.*Configs\[(klamm\..*|cluster\.id)\].*`, when: onlyKlamm, why: "Klamm's own"},
		{step: "CreateTopics v7 (validate|249|collides|empty|internal)", path: `.*TopicID`, why: "Kafka makes up an id for a topic that it does not create",
			when: func(d difference) bool { return d.klamm == "no id" }},
	}
}

// undecided are the differences that were found and wait for a correction or for an entry in docs/DIVERGENCE.md.
func undecided() []permit {
	list := []permit{
		{step: `DescribeConfigs v\d broker`, path: `.*Configs\[[^\]]*\].*`, when: unlisted, why: "broker configs that Klamm does not know are not listed"},
		{step: "DescribeConfigs", path: `.*Configs\[(errors|max\.decompressed|remote)\..*`, when: onlyKafka, why: "topic configs of Kafka 4.4 that Klamm does not know"},
		{step: "CreateTopics", path: `.*Configs\[(errors|max\.decompressed|remote)\..*`, when: onlyKafka, why: "topic configs of Kafka 4.4 that Klamm does not know"},
		{step: "DescribeConfigs", path: `.*\.ErrorMessage`, why: "no error is \"\" in Kafka's answer and null in Klamm's"},
		{step: "DescribeConfigs", path: `.*ConfigType`, why: "types of listeners and directories: Kafka says LIST"},
		{step: "DescribeConfigs", path: `.*ReadOnly`, why: "listeners, their map and producer.id.expiration.ms can be altered in Kafka"},
		{step: `DescribeConfigs v4 broker`, path: `.*\.ConfigSynonyms.*`, why: "Kafka lists a default among the synonyms also where Klamm has none"},
		{step: "DescribeConfigs", path: `.*Documentation`, why: "texts"},
		{step: "DescribeConfigs v\\d broker logger", path: `.*`, why: "BROKER_LOGGER resources"},
		{step: "Metadata v(10|11) by id", path: `.*`, why: "Kafka fails the whole request"},
		{step: "Metadata v1[23] by nothing", path: `.*`, why: "Kafka fails the whole request with UNKNOWN_SERVER_ERROR"},
		{step: "IncrementalAlterConfigs v\\d broker unknown", path: `.*`, why: "Kafka stores any broker config"},
		{step: "IncrementalAlterConfigs v\\d unknown op", path: `.*ErrorCode`, why: "Kafka: UNKNOWN_SERVER_ERROR"},
		{step: "Produce", path: `.*LogStartOffset`, why: "Kafka tells the log start with most errors"},
		{step: "Produce v\\d+ (codec 5|gzip of noise)", path: `.*ErrorCode`, why: "Kafka: UNKNOWN_SERVER_ERROR"},
		{step: "Produce v\\d+ (count 3|record cut)", path: `.*ErrorRecords.*`, why: "Klamm names the record, Kafka does not"},
		{step: "Produce v\\d+ (far future|too early|too late)", path: `.*ErrorRecords.*`, why: "Kafka names each record with a bad timestamp (KIP-467)"},
		{step: "Produce v\\d+ (first|second) again", path: `.*LogAppendTime`, why: "Kafka answers a repeat with the batch's timestamp"},
		{step: "ListOffsets v\\d+ isolation 5", path: `.*`, why: "Kafka: UNKNOWN_SERVER_ERROR"},
		{step: "ListOffsets v\\d+ max timestamp after", path: `.*`, why: "Kafka still finds the record below the log start"},
		{step: "OffsetForLeaderEpoch v\\d asked", path: `.*`, why: "epoch -2: Kafka says (-2, 0), Klamm (-1, -1)"},
		{step: "Fetch", path: `.*(HighWatermark|LastStableOffset|LogStartOffset)`, when: func(d difference) bool { return d.kafka == "-1" },
			why: "Kafka tells no offsets with OFFSET_OUT_OF_RANGE"},
		{step: "Fetch", path: `.*AbortedTransactions`, why: "an empty list in Kafka's errors, null in Klamm's"},
		{step: "Fetch v\\d+ -1 bytes", path: `.*`, why: "Kafka: UNKNOWN_SERVER_ERROR"},
		{step: "Fetch v\\d+ epoch -2", path: `.*`, why: "Kafka takes any negative epoch for none, Klamm only -1"},
		{step: "Fetch v\\d+ last epoch 5", path: `.*`, why: "Kafka: OFFSET_OUT_OF_RANGE, Klamm: no error, no records"},
		{step: "DeleteTopics v\\d twice", path: `.*`, why: "Kafka: one row, INVALID_REQUEST; Klamm: a row each"},
		{step: "DescribeLogDirs", path: `.*\.Size`, why: "Klamm says 0"},
		{step: "DescribeLogDirs", path: `.*\.(Total|Usable)Bytes`, why: "Klamm says -1"},
		{step: "CreatePartitions v\\d+ absent", path: `.*`, why: "the message"},
	}
	for i := range list {
		list[i].open = true
	}
	return list
}
