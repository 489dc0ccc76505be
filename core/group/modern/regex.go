package modern

import (
	"regexp"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/records"
)

// compile reads a regular expression that a topic's whole name must match. Go's syntax is RE2's, as that of Kafka's re2j:
// matching takes time linear in the name, whatever a client sends. The length is that of a record's key.
func compile(expression string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(expression); err != nil {
		return nil, err // else "a)|(b" would pass within the parentheses below
	}
	return regexp.Compile(`\A(?:` + expression + `)\z`)
}

// checkRegex refuses an expression that cannot be used.
func checkRegex(expression string) (core.ErrorCode, string) {
	if len(expression) > records.MaxString {
		return core.ErrInvalidRegularExpression, "SubscribedTopicRegex is too long."
	}
	if _, err := compile(expression); err != nil {
		return core.ErrInvalidRegularExpression, "SubscribedTopicRegex `" + expression + "` is not a valid regular expression: " + err.Error() + "."
	}
	return core.ErrNone, ""
}

// resolve finds the topics that match now.
func (g *Group) resolve(now core.Wall, expression string) *Resolved {
	v := &Resolved{Version: g.env.Topics.Version(), At: now}
	re, err := compile(expression)
	if err != nil {
		return v // was accepted by another version of the library; it matches nothing until it is replaced
	}
	for name := range g.env.Topics.Names() {
		if re.MatchString(name) {
			v.Topics = append(v.Topics, name)
		}
	}
	return v
}

// resolveAll resolves the expressions that need it: those that are new in the view, and all of them if topics have changed.
// Those that nobody uses any more are removed. It reports whether any member may get other topics.
func (b *batch) resolveAll(v *view, now core.Wall, changed bool) (other bool) {
	v.regexes = make(map[string]*Resolved)
	used := make(map[string]bool)
	var inUse []string
	for m := range v.members {
		if m.Regex != "" && !used[m.Regex] {
			used[m.Regex] = true
			inUse = append(inUse, m.Regex)
		}
	}
	slices.Sort(inUse)
	for _, expression := range inUse {
		old := v.g.regexes.At(expression)
		if old != nil && !changed {
			continue
		}
		resolved := v.g.resolve(now, expression)
		if old != nil && slices.Equal(old.Topics, resolved.Topics) {
			continue
		}
		v.regexes[expression] = resolved
		b.put(KindRegex, expression, resolved.appendTo(nil))
		other = true
	}
	for _, expression := range v.g.regexes.Keys() {
		if !used[expression] {
			v.regexes[expression] = nil
			b.put(KindRegex, expression, nil)
		}
	}
	return other
}
