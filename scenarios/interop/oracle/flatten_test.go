package oracle_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// flatten lists the fields of a response as path and value.
func flatten(s *side, response kmsg.Response) map[string]string {
	f := flattener{side: s, out: make(map[string]string)}
	f.value("", reflect.ValueOf(response).Elem())
	return f.out
}

type flattener struct {
	side *side
	out  map[string]string
}

func (f *flattener) value(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			f.out[path] = "null"
			return
		}
		f.value(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if name == "Version" || name == "UnknownTags" {
				continue
			}
			f.value(strings.TrimPrefix(path+"."+name, "."), v.Field(i))
		}
	case reflect.Slice:
		f.list(path, v)
	case reflect.Array:
		f.out[path] = f.side.idName(v)
	case reflect.String:
		f.out[path] = fmt.Sprintf("%q", v)
	default:
		f.out[path] = fmt.Sprint(v)
	}
}

func (f *flattener) list(path string, v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		f.out[path] = fmt.Sprintf("%x", v.Bytes())
		return
	}
	if v.IsNil() {
		f.out[path] = "no list"
	}
	seen := make(map[string]int)
	for i := range v.Len() {
		name := f.name(v.Index(i), i)
		if seen[name]++; seen[name] > 1 {
			name += fmt.Sprintf("#%d", seen[name])
		}
		f.value(path+"["+name+"]", v.Index(i))
	}
}

// name is what tells an element of a list from the others, or its place.
func (f *flattener) name(v reflect.Value, i int) string {
	if v.Kind() != reflect.Struct {
		return fmt.Sprint(i)
	}
	for _, field := range []string{"ApiKey", "Topic", "TopicName", "ResourceName", "Name", "Partition", "NodeID"} {
		named := v.FieldByName(field)
		if named.IsValid() && named.Kind() == reflect.Pointer {
			named = named.Elem()
		}
		if named.IsValid() && fmt.Sprint(named) != "" {
			return fmt.Sprint(named)
		}
	}
	if id := v.FieldByName("TopicID"); id.IsValid() {
		return f.side.idName(id)
	}
	return fmt.Sprint(i)
}

// difference is a field that two answers have different.
type difference struct {
	step, path   string
	kafka, klamm string // "" where the field is not there
	missing      string // the list element that one answer does not have at all; "" if both have all around the field
}

func (d difference) String() string {
	return fmt.Sprintf("%s: %s: Kafka %s, Klamm %s", d.step, d.path, orNone(d.kafka), orNone(d.klamm))
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func compare(step string, kafka, klamm map[string]string) []difference {
	var found []difference
	for path, value := range kafka {
		if klamm[path] != value {
			found = append(found, difference{step, path, value, klamm[path], lacking(path, klamm)})
		}
	}
	for path, value := range klamm {
		if _, both := kafka[path]; !both {
			found = append(found, difference{step, path, "", value, lacking(path, kafka)})
		}
	}
	slices.SortFunc(found, func(a, b difference) int { return strings.Compare(a.path, b.path) })
	return found
}

// lacking is the outermost list element around a path that an answer does not have.
func lacking(path string, answer map[string]string) string {
	for i := range path {
		if path[i] != ']' {
			continue
		}
		found := false
		for other := range answer {
			found = found || strings.HasPrefix(other, path[:i+1])
		}
		if !found {
			return path[:i+1]
		}
	}
	return ""
}

func TestCompare(t *testing.T) {
	row := func(partition int32, code int16) kmsg.ProduceResponseTopicPartition {
		return kmsg.ProduceResponseTopicPartition{Partition: partition, ErrorCode: code}
	}
	one := kmsg.NewPtrProduceResponse()
	one.Topics = []kmsg.ProduceResponseTopic{{
		Topic: "a", Partitions: []kmsg.ProduceResponseTopicPartition{row(0, 1), row(1, 0)},
	}}
	other := kmsg.NewPtrProduceResponse()
	other.Topics = []kmsg.ProduceResponseTopic{{
		Topic: "a", Partitions: []kmsg.ProduceResponseTopicPartition{row(1, 0), row(0, 3), row(2, 0)},
	}}
	s := &side{}
	found := compare("step", flatten(s, one), flatten(s, other))
	if len(found) < 2 || found[0].String() != "step: Topics[a].Partitions[0].ErrorCode: Kafka 1, Klamm 3" {
		t.Errorf("found %v", found)
	}
}
