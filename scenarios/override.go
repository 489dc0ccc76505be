package scenarios

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Override changes a profile by settings of the form path=value, in order. A path names fields as the profile's JSON does,
// with points between them: "safety_ms", "cluster.brokers". Of the lists of faults, a part of the path names a kind, and
// stands for all rules of that kind ("faults.crash.count"), or a rule by its index ("faults.3.count"). A value is JSON.
//
// The changed profile keeps its name, and with that its streams of randomness: what a setting does not concern is drawn as
// without it.
func Override(p Profile, settings []string) (Profile, error) {
	if len(settings) == 0 {
		return p, nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	var tree any
	if tree, err = decodeTree(b); err != nil {
		return p, err
	}
	for _, s := range settings {
		path, text, ok := strings.Cut(s, "=")
		if !ok || path == "" {
			return p, fmt.Errorf("%q sets nothing: path=value, for instance safety_ms=[1000,2000]", s)
		}
		value, err := decodeTree([]byte(text))
		if err != nil {
			return p, fmt.Errorf("%s: the value is not JSON: %w", s, err)
		}
		if path == "name" {
			return p, fmt.Errorf("%s: the name names the streams of randomness: save the profile as a file instead", s)
		}
		if tree, err = set(tree, strings.Split(path, "."), value); err != nil {
			return p, fmt.Errorf("%s: %w", s, err)
		}
	}
	if b, err = json.Marshal(tree); err != nil {
		return p, err
	}
	changed, err := ParseProfile(b)
	if err != nil {
		return p, fmt.Errorf("with %s: %w", strings.Join(settings, " "), err)
	}
	return changed, nil
}

// decodeTree reads JSON and keeps numbers as they are written.
func decodeTree(b []byte) (any, error) {
	var tree any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, fmt.Errorf("more than one value")
	}
	return tree, nil
}

// set puts a value into a tree of JSON.
func set(tree any, path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	head, rest := path[0], path[1:]
	switch t := tree.(type) {
	case nil: // "cluster.brokers" of a profile without clusters
		t2 := map[string]any{}
		return t2, setField(t2, head, rest, value)
	case map[string]any:
		return t, setField(t, head, rest, value)
	case []any:
		return t, setElements(t, head, rest, value)
	}
	return nil, fmt.Errorf("there is nothing below %v", tree)
}

// setField puts a value into a field, or below it. Whether there is such a field says the profile's parser.
func setField(fields map[string]any, name string, rest []string, value any) (err error) {
	fields[name], err = set(fields[name], rest, value)
	return err
}

// setElements puts a value below the element with an index, or those of a kind.
func setElements(list []any, head string, rest []string, value any) (err error) {
	if i, notIndex := strconv.Atoi(head); notIndex == nil {
		if i < 0 || i >= len(list) {
			return fmt.Errorf("there is no rule %d, they are 0 to %d", i, len(list)-1)
		}
		list[i], err = set(list[i], rest, value)
		return err
	}
	var kinds []string
	found := false
	for i := range list {
		rule, _ := list[i].(map[string]any)
		kind, _ := rule["kind"].(string)
		if kind != head {
			kinds = append(kinds, kind)
			continue
		}
		found = true
		if list[i], err = set(list[i], rest, value); err != nil {
			return err
		}
	}
	if !found {
		slices.Sort(kinds)
		return fmt.Errorf("there is no %q here, but %s", head, strings.Join(slices.Compact(kinds), ", "))
	}
	return nil
}
