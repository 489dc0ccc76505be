// Package admin sends single requests of any kind on a Kafka client's connections, to whichever broker must answer
// them, and repeats them while the answer is "not now" or "not me".
//
// A [Route] says who is asked. [Admin.Call] takes any request; [Admin.ListOffsets], [Admin.DeleteRecords] and
// [Admin.DescribeLogDirs] ask several brokers and merge what they say into one [Reply]. Other requests need no shaping:
// the caller fills a kmsg struct and reads one. What changes leaders, replicas, voters and features has a method each.
//
// A request whose answer is lost is sent again, so a reply can be the answer to a repetition: creating a topic may say
// TOPIC_ALREADY_EXISTS about its own work. Reply.Ambiguous tells.
package admin
