// Package show is all that klamm prints: results on one stream, as text or JSON, talk and progress on the other.
//
// Results are for the next program, so nothing else ever goes to their stream. Talk is for whoever watches: on a
// terminal with a live progress line, elsewhere with a plain line every ten seconds.
package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Format is how results are printed.
type Format string

// The formats.
const (
	Text Format = "text"
	JSON Format = "json"
)

// ParseFormat reads the value of -o.
func ParseFormat(s string) (Format, error) {
	if f := Format(s); f == Text || f == JSON {
		return f, nil
	}
	return "", fmt.Errorf("output format %q is neither text nor json", s)
}

// Result is something that a command found out. It is printed by its JSON encoding or by its text.
type Result interface {
	// AppendText appends lines, each ended.
	AppendText(dst []byte) []byte
}

// Encoder is a [Result] that writes its own JSON, ended by a new line: one of which the indented form would be too long.
type Encoder interface {
	Encode() ([]byte, error)
}

// Options says where a [Printer] prints.
type Options struct {
	Results  io.Writer
	Talk     io.Writer
	Format   Format
	Terminal bool // Talk is a terminal
	Width    int  // of the terminal; 0 is 80
}

// Printer prints. Its methods may be called from any goroutine.
type Printer struct {
	opts Options

	mu   sync.Mutex
	live bool  // a progress line stands in the terminal's last row
	err  error // the first failure to write a result
}

// New is a printer.
func New(o Options) *Printer {
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Format == "" {
		o.Format = Text
	}
	return &Printer{opts: o}
}

// Format is how results are printed.
func (p *Printer) Format() Format { return p.opts.Format }

func encode(r Result) ([]byte, error) {
	if e, ok := r.(Encoder); ok {
		return e.Encode()
	}
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}

// Result prints the one result of a command; as JSON it is indented.
func (p *Printer) Result(r Result) error {
	if p.opts.Format == JSON {
		b, err := encode(r)
		if err != nil {
			return err
		}
		return p.write(b)
	}
	return p.write(r.AppendText(nil))
}

// Row prints one of many results; as JSON each is one line.
func (p *Printer) Row(r Result) error {
	if p.opts.Format == JSON {
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return p.write(append(b, '\n'))
	}
	return p.write(r.AppendText(nil))
}

// Raw prints bytes that are a result as they are.
func (p *Printer) Raw(b []byte) error { return p.write(b) }

func (p *Printer) write(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
	if p.err == nil {
		_, p.err = p.opts.Results.Write(b)
	}
	return p.err
}

// Talkf prints a line for whoever watches.
func (p *Printer) Talkf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
	// Nobody can be told that talking failed.
	_, _ = fmt.Fprintf(p.opts.Talk, strings.TrimRight(format, "\n")+"\n", args...)
}

// wipe removes the progress line.
func (p *Printer) wipe() {
	if p.live {
		p.live = false
		_, _ = io.WriteString(p.opts.Talk, "\r\x1b[K")
	}
}

// Periods of progress.
const (
	livePeriod  = 200 * time.Millisecond
	plainPeriod = 10 * time.Second
)

// Progress shows line() until the returned function is called: again and again in one row of a terminal, or as a
// plain line every ten seconds. line is called from another goroutine.
func (p *Printer) Progress(line func() string) (stop func()) {
	period := plainPeriod
	if p.opts.Terminal {
		period = livePeriod
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				p.step(line())
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-ended
		p.mu.Lock()
		defer p.mu.Unlock()
		p.wipe()
	})
}

// step shows one state of progress.
func (p *Printer) step(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.opts.Terminal {
		_, _ = io.WriteString(p.opts.Talk, line+"\n")
		return
	}
	if runes := []rune(line); len(runes) >= p.opts.Width {
		line = string(runes[:p.opts.Width-1])
	}
	_, _ = io.WriteString(p.opts.Talk, "\r\x1b[K"+line)
	p.live = true
}
