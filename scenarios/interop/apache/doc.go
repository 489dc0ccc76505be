// Package apache fetches Apache Kafka from Maven Central and runs it with the JDK that is there: its dump tool and
// its broker, alone or as a cluster.
//
// The jars are kept under the user's cache directory (klamm-interop), one directory per set and version; the first
// run needs Maven and the network. Where Java, Maven or the artifacts cannot be had, the test is skipped with the
// reason. Apache Kafka is the judge here, so none of its parts is replaced or patched.
package apache
