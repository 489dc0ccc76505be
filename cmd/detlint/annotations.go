package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// The annotations. Each excuses one rule on the line that it ends.
const (
	noteUnordered  = "unordered"  // the loop over a map gives the same in every order
	noteDiagnostic = "diagnostic" // the import of runtime/debug makes text for people, of which no result depends
)

// annotations are the //det: comments of a package, by file and line.
type annotations struct {
	fset *token.FileSet
	list []*annotation // in source order
	at   map[lineRule]*annotation
}

type annotation struct {
	pos    token.Pos
	name   string // what stands after "det:"
	reason string
	spaced bool // written "// det:", which Go tools do not take as a directive
	used   bool
}

// readAnnotations collects every comment that means to be an annotation, well-formed or not.
func readAnnotations(fset *token.FileSet, files []*ast.File) *annotations {
	notes := &annotations{fset: fset, at: make(map[lineRule]*annotation)}
	for _, file := range files {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				if note := parseAnnotation(comment); note != nil {
					notes.list = append(notes.list, note)
					notes.at[notes.key(comment.Pos())] = note
				}
			}
		}
	}
	return notes
}

// parseAnnotation reads one comment; nil if it is an ordinary one.
func parseAnnotation(comment *ast.Comment) *annotation {
	text, isLine := strings.CutPrefix(comment.Text, "//")
	if !isLine {
		return nil
	}
	body, is := strings.CutPrefix(strings.TrimLeft(text, " \t"), "det:")
	if !is {
		return nil
	}
	// A second "//" begins another remark, such as an analysistest expectation.
	body, _, _ = strings.Cut(body, "//")
	name, reason, _ := strings.Cut(body, " ")
	return &annotation{
		pos:    comment.Pos(),
		name:   strings.TrimSpace(name),
		reason: strings.TrimSpace(reason),
		spaced: !strings.HasPrefix(text, "det:"),
	}
}

func (a *annotations) key(pos token.Pos) lineRule {
	at := a.fset.Position(pos)
	return lineRule{file: at.Filename, line: at.Line}
}

// suppress reports whether the line of pos carries an annotation that may be the one of this name, and marks it as
// used. A badly written one suppresses too, so that a line has one finding: what is wrong with the annotation.
func (a *annotations) suppress(pos token.Pos, name string) bool {
	note := a.at[a.key(pos)]
	if note == nil || note.known() && note.name != name {
		return false
	}
	note.used = true
	return true
}

// complaints are the findings against the annotations themselves.
func (a *annotations) complaints() []finding {
	var found []finding
	for _, note := range a.list {
		if text := note.complaint(); text != "" {
			found = append(found, finding{pos: note.pos, rule: ruleAnnotation, text: text})
		}
	}
	return found
}

func (n *annotation) known() bool { return n.name == noteUnordered || n.name == noteDiagnostic }

func (n *annotation) complaint() string {
	switch {
	case n.spaced:
		return "annotation is not a directive: write //det:" + n.name + " without a space after the slashes"
	case !n.known():
		return "unknown annotation //det:" + n.name + ": there are //det:unordered <reason> and //det:diagnostic <reason>"
	case n.reason == "":
		return "annotation without a reason: say after //det:" + n.name + " why it cannot matter"
	case !n.used:
		return "annotation suppresses nothing: remove //det:" + n.name + ", or move it to the line that it is about"
	}
	return ""
}
