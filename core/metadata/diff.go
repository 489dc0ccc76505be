package metadata

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Equal reports whether both images describe the same cluster. Offset, epoch and an open transaction do not
// count: a snapshot's image equals the log's.
func (m *Image) Equal(other *Image) bool { return len(m.diff(other, 1)) == 0 }

// Diff lists what differs, one line per broker, partition, configuration key and so on, from m to other; it is
// empty when they are equal. It works on [Image.Records], so it cannot forget a part that a snapshot has.
func (m *Image) Diff(other *Image) []string { return m.diff(other, -1) }

// item is one record of an image's snapshot with the name of what it describes, which sorts and pairs it.
type item struct {
	name string
	rec  Record
}

// items are the records of a snapshot in the order of their names.
func (m *Image) items() []item {
	var items []item
	topic := "" // of the PartitionRecords that follow its TopicRecord
	for rec := range m.Records() {
		if t, ok := rec.(*TopicRecord); ok {
			topic = t.Name
		}
		items = append(items, item{itemName(rec, topic), rec})
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.name, b.name) })
	return items
}

// itemName is unique among the records of an image; quoting keeps odd names from looking like others. topic is the
// name of the topic a PartitionRecord belongs to.
func itemName(rec Record, topic string) string {
	switch r := rec.(type) {
	case *FeatureLevelRecord:
		return fmt.Sprintf("feature %q", r.Name)
	case *RegisterBrokerRecord:
		return fmt.Sprintf("broker %d", r.BrokerID)
	case *RegisterControllerRecord:
		return fmt.Sprintf("controller %d", r.ControllerID)
	case *TopicRecord:
		return fmt.Sprintf("topic %q", r.Name)
	case *PartitionRecord:
		return fmt.Sprintf("topic %q partition %d", topic, r.PartitionID)
	case *ConfigRecord:
		return fmt.Sprintf("config %d %q %q", r.ResourceType, r.ResourceName, r.Name)
	case *ClientQuotaRecord:
		return fmt.Sprintf("quota %s %q", show(reflect.ValueOf(r.Entity)), r.Key)
	case *AccessControlEntryRecord:
		return fmt.Sprintf("acl %x", r.ID)
	case *UserScramCredentialRecord:
		return fmt.Sprintf("scram %q %d", r.Name, r.Mechanism)
	case *DelegationTokenRecord:
		return fmt.Sprintf("token %q", r.TokenID)
	}
	return rec.APIKey().String()
}

// encoded is all that a snapshot holds, in its order; images that were built alike need no more to be found equal.
func (m *Image) encoded() []byte {
	var dst []byte
	for rec := range m.Records() {
		dst, _ = appendVersion(dst, rec, latestVersion(rec.APIKey())) // as in sameRecord
	}
	return dst
}

// diff merges the sorted items of both sides and stops after limit lines, if limit is not negative.
func (m *Image) diff(other *Image, limit int) []string {
	if bytes.Equal(m.encoded(), other.encoded()) {
		return nil
	}
	var lines []string
	a, b := m.items(), other.items()
	for (len(a) > 0 || len(b) > 0) && len(lines) != limit {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].name < b[0].name:
			lines = append(lines, fmt.Sprintf("%s: gone, was %s", a[0].name, fields(a[0].rec, nil)))
			a = a[1:]
		case len(a) == 0 || b[0].name < a[0].name:
			lines = append(lines, fmt.Sprintf("%s: new, %s", b[0].name, fields(b[0].rec, nil)))
			b = b[1:]
		default:
			if !sameRecord(a[0].rec, b[0].rec) {
				lines = append(lines, fmt.Sprintf("%s: %s", a[0].name, fields(a[0].rec, b[0].rec)))
			}
			a, b = a[1:], b[1:]
		}
	}
	return lines
}

// sameRecord compares the encodings, which know where nil and empty differ and where they do not.
func sameRecord(a, b Record) bool {
	x, _ := appendVersion(nil, a, latestVersion(a.APIKey()))
	y, _ := appendVersion(nil, b, latestVersion(b.APIKey()))
	return bytes.Equal(x, y)
}

// fields prints a record's fields, or, given a second record of the same type, those that differ.
func fields(rec, next Record) string {
	var out []string
	v := reflect.ValueOf(rec).Elem()
	for i := range v.NumField() {
		name, was := v.Type().Field(i).Name, show(v.Field(i))
		if next == nil {
			out = append(out, name+" "+was)
			continue
		}
		if now := show(reflect.ValueOf(next).Elem().Field(i)); now != was {
			out = append(out, fmt.Sprintf("%s %s -> %s", name, was, now))
		}
	}
	return strings.Join(out, ", ")
}

// show prints a field's value: ids as Kafka prints them, pointers as what they point to.
func show(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "null"
	case v.Kind() == reflect.Pointer:
		return show(v.Elem())
	case v.Kind() == reflect.String:
		return fmt.Sprintf("%q", v.String())
	case v.Kind() == reflect.Array && v.Len() == 16:
		var id [16]byte
		reflect.Copy(reflect.ValueOf(&id).Elem(), v)
		return base64.RawURLEncoding.EncodeToString(id[:])
	case v.Kind() == reflect.Slice && v.IsNil() && v.Type().Elem() == reflect.TypeFor[DirectoryID]():
		return "null"
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Struct:
		n, at := 0, v.Index
		if v.Kind() == reflect.Struct {
			n, at = v.NumField(), v.Field
		} else {
			n = v.Len()
		}
		parts := make([]string, n)
		for i := range parts {
			parts[i] = show(at(i))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	return fmt.Sprint(v.Interface())
}
