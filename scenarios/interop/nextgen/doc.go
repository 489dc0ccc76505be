// Package nextgen holds consumer groups of KIP-848 against Apache Kafka's own Java consumer: members of the new protocol, static
// ones and ones with a regular expression among them, then a classic group that is upgraded while it works, with members of
// both protocols, cooperative and eager, and downgraded when the last member of the new one has left, and all that again; and a static
// member that restarts with the other protocol, both ways.
package nextgen
