package shrink

import (
	"reflect"
	"slices"

	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
)

// setting is one line of configuration: a property, of all nodes that have it, because nodes that disagree are another
// world; or a topic's, as one operation sets it.
type setting struct {
	property string
	client   int
	op       int
	config   string
}

func settings(p *sim.Plan) []setting {
	var out []setting
	for i := range p.Brokers {
		for _, x := range p.Brokers[i].Properties {
			if s := (setting{property: x.Name}); !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	for i := range p.Clients {
		for j := range p.Clients[i].Ops {
			for _, c := range p.Clients[i].Ops[j].Configs {
				out = append(out, setting{client: i, op: j, config: c.Name})
			}
		}
	}
	return out
}

func (x setting) drop(p *sim.Plan) {
	if x.property == "" {
		o := &p.Clients[x.client].Ops[x.op]
		o.Configs = slices.DeleteFunc(o.Configs, func(c workload.Config) bool { return c.Name == x.config })
		return
	}
	for i := range p.Brokers {
		b := &p.Brokers[i]
		b.Properties = slices.DeleteFunc(b.Properties, func(y sim.Property) bool { return y.Name == x.property })
	}
}

// settings takes lines of configuration away.
func (s *session) settings() {
	list := settings(&s.best)
	s.reduce(len(list), 0, func(p sim.Plan, kept []int) sim.Plan {
		for i, x := range list {
			if !slices.Contains(kept, i) {
				x.drop(&p)
			}
		}
		return p
	})
}

// leaves are the numbers, words and switches of a plan that are not zero and mean a default when they are: knobs, options of
// clients and details of operations. They go by the types, so that what becomes part of a plan is shrunk, too. Two plans that
// differ only in what leaves have the same leaves in the same order.
func leaves(p *sim.Plan) []reflect.Value {
	var out []reflect.Value
	gather(&out, reflect.ValueOf(&p.Net).Elem())
	for i := range p.Brokers {
		gather(&out, reflect.ValueOf(&p.Brokers[i]).Elem())
	}
	for i := range p.Clients {
		gather(&out, reflect.ValueOf(&p.Clients[i]).Elem())
	}
	return out
}

// essential reports whether a field says what a thing is or whom it is about, or is taken away elsewhere, or has a zero that is
// no default.
func essential(field string) bool {
	switch field {
	case "ID", "Kind", "Roles", "Absent", "Acks", "Topic", "Partition", "Partitions", "Replication", "Where", "Replicas", "Node", "Host":
		return true
	case "At", "Plan", "Properties", "Configs":
		return true
	case "Group", "Topics", "Twin": // members of a group must agree
		return true
	case "Writer", "Out": // whose transactions, and where to
		return true
	default:
		return false
	}
}

func gather(out *[]reflect.Value, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if o, ok := v.Interface().(workload.Op); ok && o.Kind == workload.UpdateFeature {
			return // a level is no count
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !essential(f.Name) {
				gather(out, v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			gather(out, v.Elem())
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct {
			for i := range v.Len() {
				gather(out, v.Index(i))
			}
		} else if v.Len() > 0 {
			*out = append(*out, v)
		}
	default:
		if !v.IsZero() {
			*out = append(*out, v)
		}
	}
}

// knobs takes leaves back to the default.
func (s *session) knobs() {
	base := s.best
	s.reduce(len(leaves(&base)), 0, func(p sim.Plan, kept []int) sim.Plan {
		for i, v := range leaves(&p) {
			if !slices.Contains(kept, i) {
				v.SetZero()
			}
		}
		return p
	})
}

// numbers are the leaves of operations that count something.
func numbers(p *sim.Plan) []reflect.Value {
	var out []reflect.Value
	for i := range p.Clients {
		for j := range p.Clients[i].Ops {
			if p.Clients[i].Ops[j].Kind == workload.UpdateFeature {
				continue
			}
			o := reflect.ValueOf(&p.Clients[i].Ops[j]).Elem()
			for _, name := range []string{"Partitions", "Replication", "Count", "Size", "Keys", "Headers", "Max"} {
				if f := o.FieldByName(name); f.Int() > 1 {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// smaller makes counts 1, and where that is too few, half of what they are as long as that will do.
func (s *session) smaller() {
	s.fewer()
	for n := len(numbers(&s.best)); n > 0 && !s.over; {
		was := s.size
		s.reduce(n, 0, func(p sim.Plan, kept []int) sim.Plan {
			for i, v := range numbers(&p) {
				if !slices.Contains(kept, i) {
					v.SetInt((v.Int() + 1) / 2)
				}
			}
			return p
		})
		if n = len(numbers(&s.best)); s.size == was {
			return
		}
	}
}

// fewer makes counts 1.
func (s *session) fewer() {
	s.reduce(len(numbers(&s.best)), 0, func(p sim.Plan, kept []int) sim.Plan {
		for i, v := range numbers(&p) {
			if !slices.Contains(kept, i) {
				v.SetInt(1)
			}
		}
		return p
	})
}

// partitions leaves each topic the one partition that matters, as its first.
func (s *session) partitions() {
	for _, t := range topics(&s.best) {
		if t.partitions < 2 {
			continue
		}
		var plans []sim.Plan
		for k := range t.partitions {
			p := clone(s.best)
			keepPartition(&p, t.name, k)
			plans = append(plans, s.tidied(p))
		}
		s.try(someSlack, plans...)
	}
}

func keepPartition(p *sim.Plan, topic string, k int32) {
	for i := range p.Clients {
		c := &p.Clients[i]
		c.Ops = slices.DeleteFunc(c.Ops, func(o workload.Op) bool {
			return o.Topic == topic && (o.Partition >= 0 && o.Partition != k || o.Kind == workload.CreatePartitions)
		})
		for j := range c.Ops {
			o := &c.Ops[j]
			switch {
			case o.Topic != topic:
			case o.Kind == workload.CreateTopic:
				o.Partitions = 1
			case o.Partition == k:
				o.Partition = 0
			}
		}
	}
}
