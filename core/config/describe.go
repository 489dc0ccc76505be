package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Source is the layer that a value comes from, numbered as in DescribeConfigs.
type Source int8

// The layers, highest first.
const (
	SourceTopic          Source = iota + 1 // the topic's own
	SourceBroker                           // set for this broker while running
	SourceClusterDefault                   // set for all brokers while running
	SourceStatic                           // the broker's file
	SourceDefault                          // the definition
)

// Layers gives access to the values that are set. Topic is nil when a broker is described.
type Layers struct {
	Topic, Broker, Cluster func(name string) (string, bool)
	Static                 map[string]string
}

// Entry is one key with its value and where it comes from.
type Entry struct {
	Def
	Value  string
	Null   bool // it has no value, or one that may not be shown
	Source Source
	Layers []LayerValue // every layer that has a value, highest first: DescribeConfigs' synonyms
}

// LayerValue is what one layer has to say. Name is the key in that layer.
type LayerValue struct {
	Name, Value string
	Source      Source
	factor      int64
}

// layersOf lists what the broker's layers say under the given names.
func (l *Layers) layersOf(names []Synonym, defaults func(i int) Def) []LayerValue {
	var out []LayerValue
	dynamic := func(get func(string) (string, bool), source Source) {
		for i, s := range names {
			if v, ok := get(s.Name); ok && defaults(i).Update != ReadOnly {
				out = append(out, LayerValue{s.Name, v, source, s.Factor})
			}
		}
	}
	dynamic(l.Broker, SourceBroker)
	dynamic(l.Cluster, SourceClusterDefault)
	for _, s := range names {
		if v, ok := l.Static[s.Name]; ok {
			out = append(out, LayerValue{s.Name, strings.TrimSpace(v), SourceStatic, s.Factor})
		}
	}
	for i, s := range names {
		if d := defaults(i); !d.NoDefault {
			out = append(out, LayerValue{s.Name, d.Default, SourceDefault, s.Factor})
		}
	}
	return out
}

// DescribeTopic describes every topic key.
func DescribeTopic(l Layers) []Entry {
	defs := topicDefs
	out := make([]Entry, 0, len(defs))
	for _, d := range defs {
		e := Entry{Def: d, Value: d.Default, Source: SourceDefault}
		if v, ok := l.Topic(d.Name); ok {
			e.Layers = append(e.Layers, LayerValue{d.Name, v, SourceTopic, 1})
		}
		below := l.layersOf(d.Synonyms, func(i int) Def { return synonymDef(&d, i) })
		// As Kafka: a default that stands under another name than the first (log.retention.hours) is not worth showing
		// when nothing is set.
		if len(below) > 0 && (below[0].Source != SourceDefault || below[0].Name == d.Synonyms[0].Name) {
			e.Layers = append(e.Layers, below...)
		}
		if len(e.Layers) > 0 {
			top := e.Layers[0]
			e.Source, e.Value = top.Source, Synonym{top.Name, top.factor}.text(top.Value)
		}
		out = append(out, e)
	}
	return out
}

// DescribeBroker describes every broker key. Properties of the file that no definition knows are listed too, without
// their values: nobody can say whether they are secrets.
func DescribeBroker(l Layers) []Entry {
	defs, topics := brokerDefs, topicDefs
	out := make([]Entry, 0, len(defs))
	for _, d := range defs {
		e := Entry{Def: d, Value: d.Default, Null: d.NoDefault, Source: SourceDefault}
		if v := l.layersOf([]Synonym{{d.Name, 1}}, func(int) Def { return d }); len(v) > 0 {
			e.Value, e.Null, e.Source = v[0].Value, d.Sensitive, v[0].Source
		}
		// Shown are the layers of all synonyms; the value is that of the key itself.
		names := family(topics, d.Name)
		e.Layers = startAt(d.Name, l.layersOf(names, func(i int) Def {
			s, _ := find(defs, names[i].Name)
			return s
		}))
		out = append(out, e)
	}
	for _, name := range slices.Sorted(maps.Keys(l.Static)) {
		if _, known := find(defs, name); !known {
			out = append(out, Entry{Def: Def{Name: name, Sensitive: true}, Null: true, Source: SourceStatic})
		}
	}
	return out
}

// startAt drops what stands above a key's own first value, as Kafka does.
func startAt(name string, layers []LayerValue) []LayerValue {
	for i := range layers {
		if layers[i].Name == name {
			return layers[i:]
		}
	}
	return nil
}

// family is a broker key with those that mean the same in other units, in order of precedence.
func family(topics []Def, name string) []Synonym {
	for _, t := range topics {
		for _, s := range t.Synonyms {
			if s.Name == name {
				return t.Synonyms
			}
		}
	}
	return []Synonym{{name, 1}}
}

// CheckTopicTogether refuses values that are possible each by itself but not side by side. get is what is set for
// the topic; what is not set counts with its default.
func CheckTopicTogether(get func(name string) (string, bool)) error {
	number := func(name string) int64 {
		v, ok := get(name)
		if !ok {
			d, _ := TopicDef(name)
			v = d.Default
		}
		n, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64) // checked before
		return n
	}
	if lowest, highest := number("min.compaction.lag.ms"), number("max.compaction.lag.ms"); lowest > highest {
		return fmt.Errorf("min.compaction.lag.ms is %d, which is more than max.compaction.lag.ms, %d", lowest, highest)
	}
	return nil
}
